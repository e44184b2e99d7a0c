import { describe } from "@jest/globals";
import { runCases } from "./run-cases.js";

describe("on the embedded store", () => runCases());
