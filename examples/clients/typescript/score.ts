// Files two figures, has a wrong one refused, and reads the score back.
import createClient from "openapi-fetch";
import type { paths } from "./jixiao.d.ts";

const api = createClient<paths>({
  baseUrl: process.env.BASE ?? "http://127.0.0.1:8080",
  headers: { Authorization: `Bearer ${process.env.TOKEN ?? "none"}` },
});
const path = { code: "900001", year: 2031 };
const sheet = "/api/v1/units/{code}/evaluations/{year}/base-data";

await api.PUT("/api/v1/units/{code}", { params: { path }, body: { name: "示例单位", kind: "department" } });
await api.PUT("/api/v1/fiscal-years/{year}", { params: { path }, body: { scheme: "hunan-2019" } });
await api.PUT(sheet, { params: { path }, body: { staff: { posts: 171, in_post: 104 } } });

const refused = await api.PUT(sheet, { params: { path }, body: { staff: { posts: 171, in_post: -4 } } });
for (const error of refused.error?.errors ?? []) console.log(`refused: ${error.pointer}`);

const { data: score } = await api.GET("/api/v1/units/{code}/evaluations/{year}/score", { params: { path } });
// The score also comes as text, for terminals; not asked for here.
if (!score || typeof score === "string") throw new Error("no score");
console.log(`total: ${score.interval.low} to ${score.interval.high}`);
for (const line of score.lines) {
  if (line.points) console.log(`${line.code}: ${line.points} of ${line.weight}`);
}
