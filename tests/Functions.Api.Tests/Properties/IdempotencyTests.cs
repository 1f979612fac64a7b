using FsCheck.Fluent;
using NodeStash.Support.Running;
using Property = NodeStash.Support.Property;

namespace NodeStash.Functions.Api.Tests.Properties;

/// <summary>A request with an Idempotency-Key, repeated and raced however often, has the effect of one.</summary>
[Collection(nameof(OnePropertyServer))]
public sealed class IdempotencyTests(Server server)
{
    /// <summary>Some more contacts of a company than are changed in the commit of its deletion.</summary>
    private const int Many = 24;

    private static readonly string[] Requests =
        ["create contact", "create taken", "create stage", "create key", "define", "update", "update nothing", "set values", "rotate secret", "delete contact",
            "delete company", "default pipeline", "missing link"];

    [Fact]
    public Task A_request_repeated_and_raced_has_the_effect_of_one() => Property.Holds(
        from request in Gen.Elements(Requests)
        from racing in Gen.Choose(1, 12)
        from repeats in Gen.Choose(0, 4)
        select (request, racing, repeats),
        async each =>
        {
            // The same in two workspaces: in one it is sent once, in the other as often as can be.
            var (once, often) = (await server.NewWorkspace(), await server.NewWorkspace());
            var plain = await Send(once, each.request, racing: 1, repeats: 0);
            var answers = await Send(often, each.request, each.racing, each.repeats);

            var first = Assert.Single(answers, a => a.Status == plain[0].Status && a.Header("Idempotency-Replayed") is null && !IsInProgress(a));
            Assert.All(answers.Where(a => !IsInProgress(a)),
                a => Assert.Equal(
                    (first.Status, first.Raw, first.Header("ETag"), first.Header("Location")), (a.Status, a.Raw, a.Header("ETag"), a.Header("Location"))));
            Assert.All(answers.TakeLast(each.repeats), a => Assert.Equal("true", a.Header("Idempotency-Replayed")));
            Assert.Equal(await State(once), await State(often));
        },
        tests: 40);

    private static bool IsInProgress(Reply reply) => reply.Status == 409 && reply.Code == "IDEMPOTENCY_IN_PROGRESS";

    private static async Task<IReadOnlyList<Reply>> Send(Workspace workspace, string request, int racing, int repeats)
    {
        var api = workspace.Owner;
        var company = (await api.Create("companies", new { name = "Acme" })).Id;
        var contact = (await api.Create("contacts", new { email = "jane@acme.com", company_id = company })).Id;
        if (request is "delete company") await Task.WhenAll(Enumerable.Range(0, Many).Select(_ => api.Create("contacts", new { company_id = company })));
        if (request is "set values") await api.Create("custom-fields", new { entity_type = "contact", name = "n", slug = "n", field_type = "number" });
        var webhook = (await api.Create("webhooks", new { url = "https://127.0.0.1:9/in", is_enabled = false })).Id;
        var pipeline = (await api.Create(
            "pipelines", new { name = "P", stages = new object[] { new { name = "W", type = "won" }, new { name = "L", type = "lost" } } })).Id;
        var (method, path, body) = request switch
        {
            "create contact" => (HttpMethod.Post, "/v1/contacts", (object?)new { email = "joe@acme.com", first_name = "Joe" }),
            "create taken" => (HttpMethod.Post, "/v1/contacts", new { email = "JANE@acme.com" }),
            "create stage" => (HttpMethod.Post, $"/v1/pipelines/{pipeline}/stages", new { name = "New", position = 0 }),
            "create key" => (HttpMethod.Post, "/v1/api-keys", new { name = "K", scopes = new[] { "contacts:read" } }),
            "define" => (HttpMethod.Post, "/v1/custom-fields", new { entity_type = "contact", name = "Plan", field_type = "text" }),
            "update" => (HttpMethod.Patch, $"/v1/contacts/{contact}", new { first_name = "Joan" }),
            "update nothing" => (HttpMethod.Patch, $"/v1/contacts/{contact}", new { }),
            "set values" => (HttpMethod.Put, $"/v1/contacts/{contact}/custom-fields", new { n = 5 }),
            "rotate secret" => (HttpMethod.Post, $"/v1/webhooks/{webhook}/rotate-secret", new { grace_seconds = 60 }),
            "delete contact" => (HttpMethod.Delete, $"/v1/contacts/{contact}", null),
            "delete company" => (HttpMethod.Delete, $"/v1/companies/{company}", null),
            "default pipeline" => (HttpMethod.Patch, $"/v1/pipelines/{pipeline}", new { is_default = true }),
            _ => (HttpMethod.Post, "/v1/deals", new { title = "T", company_id = "co_00000000000000000000" }),
        };

        var key = ("Idempotency-Key", "once");
        var answers = (await Task.WhenAll(Enumerable.Range(0, racing).Select(_ => api.Send(method, path, body, key)))).ToList();
        for (var i = 0; i < repeats; i++) answers.Add(await api.Send(method, path, body, key));
        return answers;
    }

    /// <summary>How much there is of everything, of what version, and how many events told of it.</summary>
    private async Task<string> State(Workspace workspace)
    {
        await server.Settled(workspace);
        var state = new List<string>();
        foreach (var collection in new[] { "contacts", "companies", "deals", "pipelines", "custom-fields", "webhooks", "api-keys" })
        {
            var ids = (await workspace.Owner.Get($"/v1/{collection}?limit=100")).Is(200).Ids;
            var versions = await Task.WhenAll(ids.Select(async id => (await workspace.Owner.Get($"/v1/{collection}/{id}")).ETag));
            state.Add($"{collection} {string.Join(' ', collection is "api-keys" ? versions.Select(_ => "?") : versions.Order(StringComparer.Ordinal))}");
        }

        state.AddRange(
            (await server.EventsOf(workspace)).Select(
                e => $"{e.GetProperty("event").GetString()} {e.GetProperty("metadata").GetProperty("version").GetInt32()}")
                .Order(StringComparer.Ordinal));
        return string.Join('\n', state);
    }
}
