/** Where the service is, and how to speak to it. */
export interface Endpoint {
  readonly protocol: "grpc" | "rest";
  readonly isTls: boolean;
  /** Host and port, such as `[::1]:4420`. */
  readonly address: string;
  /** What stands before the paths of REST; without a slash at the end. Empty for gRPC. */
  readonly basePath: string;
  /** As it was written. */
  readonly text: string;
}

interface Scheme extends Pick<Endpoint, "protocol" | "isTls"> {
  /** Empty: the address goes without one. */
  readonly defaultPort: string;
}

const SERVICE_PORT = "4420";

const SCHEMES: Readonly<Record<string, Scheme>> = {
  "http:": { protocol: "rest", isTls: false, defaultPort: "" },
  "https:": { protocol: "rest", isTls: true, defaultPort: "" },
  "grpc:": { protocol: "grpc", isTls: false, defaultPort: SERVICE_PORT },
  "grpcs:": { protocol: "grpc", isTls: true, defaultPort: SERVICE_PORT },
};

/**
 * Parses `http://`, `https://`, `grpc://` (cleartext) or `grpcs://` (TLS) and an address. gRPC without a port is at 4420; HTTP may
 * have a path, for a gateway. An error does not quote the text, which may hold a password.
 */
export function parseEndpoint(text: string): { readonly endpoint: Endpoint } | { readonly error: string } {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const scheme = url && SCHEMES[url.protocol];
  if (url === undefined || scheme === undefined || url.hostname === "") {
    return { error: "must be http://, https://, grpc:// or grpcs:// and an address, such as http://127.0.0.1:4420" };
  }
  if (url.username !== "" || url.password !== "") {
    return { error: "must not hold a user or a password: the token has an option of its own" };
  }
  const basePath = url.pathname.replace(/\/+$/, "");
  if (url.search !== "" || url.hash !== "" || (scheme.protocol === "grpc" && basePath !== "")) {
    return { error: "must end with the address" };
  }
  const { protocol, isTls, defaultPort } = scheme;
  const address = url.port === "" && defaultPort !== "" ? `${url.hostname}:${defaultPort}` : url.host;
  return { endpoint: { protocol, isTls, address, basePath, text } };
}
