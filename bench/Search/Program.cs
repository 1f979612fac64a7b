using NodeStash.Bench;

// What the embedded search index does: see bench/README.md. An argument names what to measure; without one, all of it.
var what = args.FirstOrDefault() ?? "all";
if (what is not ("all" or "index" or "product"))
{
    await Console.Error.WriteLineAsync("usage: search-bench [index | product]");
    return 2;
}

if (what is "all" or "index") await IndexBench.Run(contacts: 100_000);
if (what is "all" or "product") await ProductBench.Run();
return 0;
