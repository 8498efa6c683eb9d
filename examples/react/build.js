// Builds the form into dist. The answers are checked by code that is written here, so that the page needs no 'unsafe-eval'.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";

import { compileSchemaValidatorsCode } from "@rjsf/validator-ajv8/compileSchemaValidators";
import Ajv2020 from "ajv/dist/2020.js";
import { build } from "esbuild";

import { questionsOf } from "./src/questions.js";

const FORM = "form.json"; // what GET /v1/concerns/form answers
const MADE = "src/made"; // what is made of it

if (!existsSync(FORM)) throw new Error("First: curl --output form.json http://127.0.0.1:8000/v1/concerns/form");
const form = JSON.parse(readFileSync(FORM, "utf8"));
const schema = JSON.parse(JSON.stringify(questionsOf(form)));
const checks = compileSchemaValidatorsCode(schema, { AjvClass: Ajv2020 }); // the schema is of the draft 2020-12

mkdirSync(MADE, { recursive: true });
writeFileSync(`${MADE}/questions.json`, JSON.stringify({ schema, version: form.schema_version }));
writeFileSync(`${MADE}/checks.cjs`, checks);
await build({
  entryPoints: ["src/main.jsx"],
  outdir: "dist",
  bundle: true,
  minify: true,
  jsx: "automatic",
  target: "es2022",
  legalComments: "linked",
});
