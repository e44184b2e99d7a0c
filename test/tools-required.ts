/** Whether what needs a program that CI has fails without it, and is not skipped. */
export const TOOLS_REQUIRED = process.env.LATCHKEY_TEST_REQUIRE_TOOLS === "true";
