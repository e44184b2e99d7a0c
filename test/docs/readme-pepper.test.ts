import { expect, test } from "@jest/globals";
import { readPage, readSection } from "./readme-blocks.js";
import { failToStart, startTourService } from "./tour-service.js";

const TIMEOUT_MS = 60_000;
const ANOTHER_PEPPER = "another-pepper-of-32-characters-or-more";
/** The only message that the section shows, indented in an item of a list. */
const [, message] = /^ {6}(secrets\..*)$/m.exec(readSection(readPage("README.md"), "Credentials")) ?? [];

test(
  "a start with another pepper ends as the README shows it",
  async () => {
    const service = await startTourService({});
    try {
      const started = await failToStart(service.folder, { LATCHKEY_SECRETS_PEPPER: ANOTHER_PEPPER });
      expect(started).toEqual({ code: 1, stderr: `latchkey: ${message}\n` });
    } finally {
      await service.stop();
    }
  },
  TIMEOUT_MS,
);
