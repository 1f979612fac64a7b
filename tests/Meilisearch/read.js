// What the server's own client finds in an index that the product wrote: the words of a record lead to it.
import { Meilisearch } from "meilisearch";

const [host, apiKey, id] = process.argv.slice(2);
const records = new Meilisearch({ host, apiKey }).index("nodestash-records");

const { results } = await records.getDocuments({ limit: 100000 });
const document = results.find((each) => each.id === id);
const found = await records.search(document.name, { filter: `set = "${document.set}"`, matchingStrategy: "all" });
const { minWordSizeForTypos } = await records.getTypoTolerance();

console.log(JSON.stringify({ found: found.hits.map((hit) => hit.id), version: document.version, partition: document.partition, letters: minWordSizeForTypos.twoTypos - minWordSizeForTypos.oneTypo }));
