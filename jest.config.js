/** Tests run on the TypeScript sources, as ES modules; types are checked by `npm run types`. */
export default {
  testEnvironment: "node",
  testMatch: ["<rootDir>/test/**/*.test.ts"],
  extensionsToTreatAsEsm: [".ts"],
  moduleNameMapper: { "^(\\.{1,2}/.*)\\.js$": "$1" },
  transform: {
    "\\.ts$": [
      "@swc/jest",
      { jsc: { parser: { syntax: "typescript" }, target: "es2022" }, module: { type: "es6" }, sourceMaps: "inline" },
    ],
  },
  testTimeout: 30_000,
  // ES modules of a test file stay in memory after it. So tests run in a process that is replaced when it has grown.
  workerIdleMemoryLimit: "1GB",
};
