using System.Globalization;
using NodeStash.CosmosStandIn;
using NodeStash.Support.Running;

namespace NodeStash.Azure.Tests.Serving;

/// <summary>What operations of the API ask of Cosmos DB: calls are money. The table in docs/operations.md is what this writes.</summary>
public sealed class StoreCallTests(ITestOutputHelper output) : IAsyncLifetime
{
    private readonly CosmosServer server = new();
    private Api owner = null!;

    public async ValueTask InitializeAsync()
    {
        await server.InitializeAsync();
        owner = (await server.NewWorkspace()).Owner;
        (await owner.Get("/v1/contacts")).Is(200); // the first request of a minute notes that the key was used
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task An_operation_makes_the_calls_it_needs_and_no_more()
    {
        var company = await owner.Create("companies", new { name = "Ørsted", domain = "orsted.example" });
        var contact = await owner.Create("contacts", new { email = "jane@example.com", first_name = "Jane" });
        var pipeline = (await owner.Get("/v1/pipelines")).Is(200).List[0].GetProperty("id").GetString();
        var deal = await owner.Create("deals", new { title = "Big", pipeline_id = pipeline, value = "48000.00" });

        await Costs("GET a contact", "3 Read", () => owner.Get($"/v1/contacts/{contact.Id}"));
        await Costs("GET a list of contacts", "2 Read, 1 Query", () => owner.Get("/v1/contacts?limit=20"));
        await Costs("GET contacts of a company", "2 Read, 1 Query", () => owner.Get($"/v1/contacts?company_id={company.Id}"));
        await Costs("POST a contact", "2 Read, 1 Query, 1 Batch", () => owner.Post("/v1/contacts", new { email = "john@example.com", first_name = "John" }));
        await Costs("POST a contact, Idempotency-Key", "3 Read, 1 Query, 1 Batch",
            () => owner.Post("/v1/contacts", new { email = "joe@example.com" }, ("Idempotency-Key", "a-key-of-a-test")));
        await Costs("POST a contact of a company", "2 Read, 1 Query, 1 Batch",
            () => owner.Post("/v1/contacts", new { email = "jim@example.com", company_id = company.Id }));
        await Costs("PATCH a contact", "3 Read, 1 Batch", () => owner.Patch($"/v1/contacts/{contact.Id}", new { first_name = "Janet" }));
        await Costs("PATCH a contact's email", "4 Read, 1 Batch", () => owner.Patch($"/v1/contacts/{contact.Id}", new { email = "janet@example.com" }));
        await Costs("POST a deal", "4 Read, 1 Query, 1 Batch", () => owner.Post("/v1/deals", new { title = "Small", pipeline_id = pipeline }));
        await Costs("PATCH a deal", "3 Read, 1 Batch", () => owner.Patch($"/v1/deals/{deal.Id}", new { title = "Bigger" }));
        await owner.Create("objects", new { singular_name = "Project", plural_name = "Projects" });
        var record = await owner.Create("objects/projects/records", new { name = "Apollo" });
        await Costs("GET a record of a custom object", "4 Read", () => owner.Get($"/v1/objects/projects/records/{record.Id}"));
        await Costs("GET a list of them", "3 Read, 1 Query", () => owner.Get("/v1/objects/projects/records?sort=name"));
        await Costs("POST one", "4 Read, 1 Query, 1 Batch", () => owner.Post("/v1/objects/projects/records", new { name = "Gemini" }));
        await Costs("PATCH one", "4 Read, 1 Batch", () => owner.Patch($"/v1/objects/projects/records/{record.Id}", new { name = "Apollo 11" }));
        await Costs("DELETE a contact", "8 Read, 5 Query, 1 Batch", () => owner.Delete($"/v1/contacts/{contact.Id}"));
    }

    /// <summary>A scan of the partition would.</summary>
    [Fact]
    public async Task What_an_operation_costs_does_not_grow_with_the_data()
    {
        var company = await owner.Create("companies", new { name = "Ørsted" });
        var contact = await owner.Create("contacts", new { email = "jane@example.com", first_name = "Jane", company_id = company.Id });
        foreach (var slug in new[] { "projects", "houses" }) await owner.Create("objects", new { singular_name = slug, plural_name = slug });
        await owner.Create("objects/projects/records", new { name = "Apollo" });
        (string, Func<Task<Reply>>)[] operations =
        [
            ("get", () => owner.Get($"/v1/contacts/{contact.Id}")),
            ("list", () => owner.Get($"/v1/contacts?company_id={company.Id}")),
            ("update", () => owner.Patch($"/v1/contacts/{contact.Id}", new { last_name = server.FreshId("x_") })),
            ("list of a custom object", () => owner.Get("/v1/objects/projects/records?name[eq]=Apollo")),
            ("record of a custom object", () => owner.Post("/v1/objects/projects/records", new { name = "Gemini" })),
            ("create", () => owner.Post("/v1/contacts", new { email = $"{server.FreshId("x_")}@example.com" })),
        ];
        var before = new List<double>();
        foreach (var (_, operation) in operations) before.Add((await Calls(operation)).Sum(call => call.Charge));

        for (var batch = 0; batch < 3; batch++)
        {
            (await owner.Post("/v1/contacts/batch", new
            {
                operations = Enumerable.Range(0, 100).Select(i => new { op = "create", data = new { email = $"c{batch}-{i}@example.com" } }),
            })).Is(200);
        }

        foreach (var slug in new[] { "projects", "houses" })
        {
            (await owner.Post($"/v1/objects/{slug}/records/batch",
                new { operations = Enumerable.Range(0, 100).Select(i => new { op = "create", data = new { name = $"P{i}" } }) })).Is(200);
        }

        foreach (var ((name, operation), cost) in operations.Zip(before))
        {
            var now = (await Calls(operation)).Sum(call => call.Charge);
            Assert.True(now <= cost * 1.1, $"{name}: {cost} RU, now {now}");
        }
    }

    private async Task Costs(string what, string expected, Func<Task<Reply>> operation)
    {
        var calls = await Calls(operation);
        Assert.All(calls, call => Assert.NotNull(call.PartitionKey));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {what} | {Kinds(calls)} | {calls.Sum(call => call.Charge):0} |"));
        Assert.True(expected == Kinds(calls), $"{what}: {Kinds(calls)}, not {expected}\n{string.Join("\n", calls)}");
    }

    private static string Kinds(IReadOnlyList<LoggedRequest> calls) =>
        string.Join(", ",
            calls.GroupBy(call => call.Kind).OrderBy(kind => kind.Key == RequestKind.Read ? 0 : kind.Key == RequestKind.Query ? 1 : 2)
                .Select(kind => $"{kind.Count()} {kind.Key}"));

    /// <summary>What an operation, which must succeed, asks of the account.</summary>
    private async Task<IReadOnlyList<LoggedRequest>> Calls(Func<Task<Reply>> operation)
    {
        server.Account.ClearLog();
        Assert.InRange((int)(await operation()).Status, 200, 299);
        return [.. server.Account.Log.Where(call => call.Kind != RequestKind.Metadata)];
    }
}
