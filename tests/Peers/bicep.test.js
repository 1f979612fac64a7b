// What can be said of infra/bicep without its compiler: a grammar reads every file, modules get what they declare and give what is asked of them,
// files that are loaded exist, and parameter files name parameters.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { Language, Parser } from "web-tree-sitter";

const folder = join(import.meta.dirname, "../../infra/bicep");
await Parser.init();
const parser = new Parser();
parser.setLanguage(await Language.load(join(dirname(createRequire(import.meta.url).resolve("tree-sitter-bicep/package.json")), "tree-sitter-bicep.wasm")));

const files = Object.fromEntries(readdirSync(folder).filter(name => name.endsWith(".bicep")).map(name => [name, parser.parse(readFileSync(join(folder, name), "utf8")).rootNode]));
const all = (node, type) => node.descendantsOfType(type);
const word = node => node.text.replaceAll("'", "");
const named = (node, type) => new Map(all(node, type).map(found => [found.namedChild(0).text, found]));
const property = (object, name) => object?.namedChildren.find(child => child.type === "object_property" && child.namedChild(0).text === name)?.namedChild(1);
const body = node => node.namedChildren.find(child => child.type === "object") ?? node.namedChildren.find(child => child.type === "if_statement")?.namedChildren.find(child => child.type === "object");
// `param name type = default`: what has a default need not be given.
const required = root => [...named(root, "parameter_declaration")].filter(([, declared]) => !declared.children.some(child => child.type === "=")).map(([name]) => name);

for (const [name, root] of Object.entries(files)) {
  test(`${name} is Bicep`, () => {
    const faults = all(root, "ERROR").map(node => `line ${node.startPosition.row + 1}: ${node.text.slice(0, 80)}`);
    assert.deepEqual(faults, []);
    assert.equal(root.hasError, false);
  });

  test(`${name} loads files that exist`, () => {
    const loaded = all(root, "call_expression").filter(call => /^load(Json|Text)Content$/.test(call.namedChild(0).text)).map(call => word(call.namedChild(1).namedChild(0)));
    assert.deepEqual(loaded.filter(path => !existsSync(join(folder, path))), []);
  });

  test(`${name} uses every parameter it declares`, () => {
    const used = new Set(all(root, "identifier").filter(node => node.parent.type !== "parameter_declaration" && node.parent.type !== "object_property").map(node => node.text));
    all(root, "object_property").forEach(pair => { for (const value of pair.namedChildren.slice(1)) used.add(value.text), all(value, "identifier").forEach(node => used.add(node.text)); });
    assert.deepEqual([...named(root, "parameter_declaration").keys()].filter(parameter => !used.has(parameter)), []);
  });
}

// The compiler refuses a name that only the deployment brings forth: it plans by names.
for (const [name, root] of Object.entries(files)) {
  test(`${name} names resources by what is known beforehand`, () => {
    const names = all(root, "resource_declaration").map(resource => property(all(resource, "object")[0], "name").text);
    assert.deepEqual(names.filter(given => /\.(properties|outputs)\b/.test(given)), []);
  });
}

for (const [file, root] of Object.entries(files)) {
  for (const [name, module] of named(root, "module_declaration")) {
    const target = files[word(module.namedChild(1))];

    test(`the module ${name} of ${file} gets the parameters it declares`, () => {
      const given = property(body(module), "params").namedChildren.filter(child => child.type === "object_property").map(pair => pair.namedChild(0).text);
      const declared = [...named(target, "parameter_declaration").keys()];
      assert.deepEqual(given.filter(parameter => !declared.includes(parameter)), []);
      assert.deepEqual(required(target).filter(parameter => !given.includes(parameter)), []);
    });

    test(`the module ${name} of ${file} gives what is asked of it`, () => {
      const asked = [...root.text.matchAll(new RegExp(`\\b${name}!?\\.outputs\\.(\\w+)`, "g"))].map(match => match[1]);
      const given = [...named(target, "output_declaration").keys()];
      assert.deepEqual(asked.filter(output => !given.includes(output)), []);
    });
  }
}

for (const name of readdirSync(folder).filter(name => name.endsWith(".parameters.json"))) {
  test(`${name} names parameters of main.bicep`, () => {
    const given = Object.keys(JSON.parse(readFileSync(join(folder, name), "utf8")).parameters);
    const declared = [...named(files["main.bicep"], "parameter_declaration").keys()];
    assert.deepEqual(given.filter(parameter => !declared.includes(parameter)), []);
    assert.deepEqual(required(files["main.bicep"]).filter(parameter => !given.includes(parameter)), []);
  });
}
