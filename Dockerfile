# Debian and not Alpine: what the tests run on.
FROM node:20-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY gen gen
COPY src src
RUN npm run build

FROM node:20-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev

# A container is reached from outside, so it listens on every address, and then starts only with secrets and tokens that
# were chosen for it. Files are better than variables here (`_FILE`); readable by uid 1000. compose.yaml has them made. By hand,
# with `hmac` and `pepper` each made by `openssl rand -hex 32`, and `tokens` as
# [{"name": "ops", "token": "<the same>", "role": "admin"}]:
#
#   docker run --read-only -p 127.0.0.1:4420:4420 -v latchkey:/data -v "$PWD/latchkey-secrets:/run/secrets:ro" \
#     -e LATCHKEY_SECRETS_HMAC_CURRENT_FILE=/run/secrets/hmac \
#     -e LATCHKEY_SECRETS_PEPPER_FILE=/run/secrets/pepper \
#     -e LATCHKEY_ADMIN_TOKENS_FILE=/run/secrets/tokens \
#     latchkey
#
# /data holds the embedded store and the signing keys. With LATCHKEY_STORE_MONGODB_URI, the signing keys alone. Nothing is
# written anywhere else. /run/latchkey is there for compose.yaml: a volume is its user's because the folder is.
FROM node:20-bookworm-slim
ENV NODE_ENV=production \
    LATCHKEY_SERVER_HOST=0.0.0.0 \
    LATCHKEY_DATA_DIR=/data
WORKDIR /app
COPY package.json LICENSE ./
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
RUN mkdir -m 0700 /data /run/latchkey && chown 1000:1000 /data /run/latchkey
USER 1000:1000
VOLUME /data
EXPOSE 4420
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["node", "dist/src/container/health.js"]
ENTRYPOINT ["node", "dist/src/main.js"]
CMD ["serve"]
