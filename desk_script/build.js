// Builds unseal.js, the script of the desk's pages, unseal.html, which contains the same script, and find.cjs, which
// `guidance desk find` runs in Node.js, and copies Swagger UI, which the API documentation loads. They go to the folder of the pages' static files. The policy in unseal.html names the digests of its one script and
// its one style: the browser therefore runs nothing else, and lets the page send no request.
import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const HERE = new URL(".", import.meta.url);
const TARGET = process.argv[2] ? new URL(`file://${process.argv[2]}/`) : new URL("../app/pages/static/", HERE);
const STYLES = ["tokens.css", "pages.css", "components.css", "phone.css", "desk.css"];
const COLOURS = ":root{--band:#1d3d5c;--on-band:#fff;--button:#0b6150;--on-button:#fff}";

const LEFT_OUT = fileURLToPath(new URL("src/keys_left_out.js", HERE));
const SWAGGER = "node_modules/swagger-ui-dist";

const digest = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

// Return the licences of the bundled packages, as a comment for the top of the script.
async function licences(inputs) {
  const folders = new Set(Object.keys(inputs).map((path) => /.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]));
  folders.delete(undefined);
  const texts = [...folders].sort().map(async (folder) => {
    const read = (name) => readFile(new URL(`${folder}/${name}`, HERE), "utf8");
    const { name, version } = JSON.parse(await read("package.json"));
    return `${name} ${version}\n\n${(await read("LICENSE")).trim()}`;
  });
  return `/*!\n${(await Promise.all(texts)).join("\n\n---\n\n")}\n*/\n`;
}

const { metafile, outputFiles } = await build({
  entryPoints: [fileURLToPath(new URL("src/main.js", HERE))],
  bundle: true,
  minify: true,
  charset: "utf8",
  format: "iife",
  target: ["es2022"],
  alias: { "@noble/post-quantum/hybrid.js": LEFT_OUT, "@noble/curves/nist.js": LEFT_OUT },
  legalComments: "none",
  metafile: true,
  write: false,
});
const script = (await licences(metafile.inputs)) + outputFiles[0].text;
const sheets = await Promise.all(STYLES.map((name) => readFile(new URL(`../app/pages/static/${name}`, HERE), "utf8")));
const style = [COLOURS, ...sheets].join("\n");
const policy = [
  "default-src 'none'",
  `script-src ${digest(script)}`,
  `style-src ${digest(style)}`,
  "base-uri 'none'",
  "form-action 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");
const page = await readFile(new URL("src/unseal.html", HERE), "utf8");
const filled = { "{{ policy }}": policy, "{{ style }}": style, "{{ script }}": script };
const whole = page.replace(/\{\{ (policy|style|script) \}\}/g, (found) => filled[found]);

const { metafile: ofCommand, outputFiles: command } = await build({
  entryPoints: [fileURLToPath(new URL("src/find_command.js", HERE))],
  bundle: true,
  charset: "utf8",
  platform: "node",
  format: "cjs",
  target: ["node18"],
  metafile: true,
  write: false,
});
const others = Object.keys(ofCommand.inputs).filter((path) => path.includes("node_modules"));
if (others.length > 0) throw new Error(`find.cjs has the licence of no package, and would contain ${others.join(", ")}`);

// Each copy begins with its licence. What the script itself has inside stands in a file beside it in the package.
const ofSwagger = (name) => readFile(new URL(`${SWAGGER}/${name}`, HERE), "utf8");
const notices = { "swagger-ui-bundle.js": ["NOTICE", "swagger-ui-bundle.js.LICENSE.txt"], "swagger-ui.css": ["NOTICE"] };
const uncommented = (text) => text.replace(/^\/\*!?|\*\/$/gm, "").trim();
await mkdir(new URL("swagger/", TARGET), { recursive: true });
for (const [name, files] of Object.entries(notices)) {
  const texts = await Promise.all(files.map(async (file) => uncommented(await ofSwagger(file))));
  const head = (await licences({ [`${SWAGGER}/${name}`]: {} })).replace(/\n\*\/\n$/, "");
  const copy = (await ofSwagger(name)).replace(/^\/\*! For license information.*\n/, "").replace(/\n?(\/\/|\/\*)# sourceMappingURL=.*\s*$/, "\n");
  await writeFile(new URL(`swagger/${name}`, TARGET), `${[head, ...texts].join("\n\n---\n\n")}\n*/\n${copy}`);
}

await writeFile(new URL("find.cjs", TARGET), command[0].text);
await writeFile(new URL("unseal.js", TARGET), script);
await writeFile(new URL("unseal.html", TARGET), whole);
console.log(`unseal.html: ${Buffer.byteLength(whole)} bytes, SHA-256 ${createHash("sha256").update(whole).digest("hex")}`);
