// Looks at the pages in a real browser: at a desktop's and a phone's width and on paper. Fails on any violation that axe finds
// and on sideways scrolling; keeps what it saw as pictures in the folder that is named last.
//
//   node check.mjs BASE FOLDER PATH…

import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import puppeteer from "puppeteer-core";

const [base, folder, ...paths] = process.argv.slice(2);
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const sizes = { desktop: { width: 1200, height: 900 }, phone: { width: 360, height: 800, deviceScaleFactor: 2, isMobile: true } };

const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
let faults = 0;
const fault = (where, what) => {
  faults += 1;
  console.error(`${where}: ${what}`);
};
try {
  for (const [n, path] of paths.entries()) {
    for (const [size, viewport] of Object.entries(sizes)) {
      const where = `${path} (${size})`;
      const page = await browser.newPage();
      page.on("console", (message) => ["error", "warn"].includes(message.type()) && fault(where, message.text()));
      page.on("request", (request) => request.url().startsWith(base) || fault(where, `asks for ${request.url()}`));
      await page.setCacheEnabled(false);
      await page.setViewport(viewport);
      const answer = await page.goto(`${base}${path}`, { waitUntil: "load" });
      if (answer.status() !== 200) fault(where, `status ${answer.status()}`);
      await page.evaluate(axe);
      const { violations, passes } = await page.evaluate(() => axe.run());
      for (const { id, help, nodes } of violations) fault(where, `${id}: ${help}: ${nodes.map((node) => node.html).join(" ")}`);
      if (passes.length === 0) fault(where, "axe checked nothing");
      const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
      if (content > window) fault(where, `is ${content} pixels wide on ${window}`);
      await page.screenshot({ path: `${folder}/${n}-${size}.png` });
      if (size === "desktop") await writeFile(`${folder}/${n}.pdf`, await page.pdf({ preferCSSPageSize: true, printBackground: true }));
      await page.close();
    }
  }
} finally {
  await browser.close();
}
console.log(`${paths.length} pages at ${Object.keys(sizes).length} widths: ${faults} faults`);
process.exitCode = faults === 0 ? 0 : 1;
