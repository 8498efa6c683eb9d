// Builds the package into dist: guidance.js, the client, and components.js, which has it inside. It uses the esbuild of
// desk_script, so that the package has no lock file and no dependency of its own.
import { mkdir, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "../desk_script/node_modules/esbuild/lib/main.js";

const LARGEST_BYTES = 15_000;
const at = (path) => fileURLToPath(new URL(path, import.meta.url));

const { outputFiles } = await build({
  entryPoints: [at("src/guidance.js"), at("src/components.js")],
  outdir: at("dist"),
  bundle: true,
  minify: true,
  charset: "utf8",
  format: "esm",
  target: ["es2020"],
  write: false,
});
await mkdir(at("dist"), { recursive: true });
for (const { path, contents } of outputFiles) {
  const size = gzipSync(contents).length;
  if (size > LARGEST_BYTES) throw new Error(`${path} has ${size} bytes compressed, more than ${LARGEST_BYTES}`);
  await writeFile(path, contents);
  console.log(`${path.split("/").pop()}: ${size} bytes compressed`);
}
