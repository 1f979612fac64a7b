using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using NodeStash.Support.Doors;
using NodeStash.Support.Running;

namespace NodeStash.Support.Contracts.Doors;

/// <summary>What the archive promises, asked through a door that has one and through /v1, which has none.</summary>
public abstract class ArchiveContract(Server server) : ApiTests(server)
{
    private WebApplication app = null!;
    private HttpClient door = null!;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        app = await OtherDoor.Serve(Server.Services);
        door = ClientOf(Api.Key);
    }

    public override async ValueTask DisposeAsync()
    {
        door.Dispose();
        await app.DisposeAsync();
        await base.DisposeAsync();
    }

    [Fact]
    public async Task An_archived_record_is_not_found_by_v1_until_it_is_restored()
    {
        var jane = await Api.Create("contacts", new { email = "jane@example.com", first_name = "Jane", tags = new[] { "vip" } });
        var before = (await Api.Get($"/v1/contacts/{jane.Id}")).Raw;

        var archived = await Archive("people", jane.Id);

        Assert.EndsWith("Z", archived.GetProperty("archivedAt").GetString(), StringComparison.Ordinal);
        foreach (var query in new[] { "", "?tags=vip", "?email=jane", "?created_at[gte]=2020-01-01", "?first_name[neq]=x", "?sort=email" })
            Assert.Empty((await Api.Get("/v1/contacts" + query)).Is(200).List);
        (await Api.Get($"/v1/contacts/{jane.Id}")).IsError(404, "NOT_FOUND");
        (await Api.Patch($"/v1/contacts/{jane.Id}", new { first_name = "Janet" })).IsError(404, "NOT_FOUND");
        (await Api.Delete($"/v1/contacts/{jane.Id}")).IsError(404, "NOT_FOUND");
        (await Api.Get($"/v1/contacts/{jane.Id}/timeline")).IsError(404, "NOT_FOUND");
        (await Api.Get($"/v1/contacts/{jane.Id}/custom-fields")).IsError(404, "NOT_FOUND");
        var other = await Api.Create("contacts", new { first_name = "Other" });
        (await Api.Post("/v1/contacts/merge", new { source_ids = new[] { jane.Id }, target_id = other.Id })).IsError(404, "NOT_FOUND");
        (await Api.Post("/v1/contacts/merge", new { source_ids = new[] { other.Id }, target_id = jane.Id })).IsError(404, "NOT_FOUND");
        (await Api.Delete($"/v1/contacts/{other.Id}")).Is(204);

        var restored = await Restore("people", jane.Id);

        Assert.Equal((JsonValueKind.Null, "Jane"), (restored.GetProperty("archivedAt").ValueKind, restored.GetProperty("firstName").GetString()));
        Assert.Equal([jane.Id], (await Api.Get("/v1/contacts?tags=vip")).Ids);
        var after = await Api.Get($"/v1/contacts/{jane.Id}");
        Assert.Equal("\"3\"", after.ETag);
        Assert.Equal(
            Attributes(JsonElement.Parse(before).GetProperty("data")),
            Attributes(after.Data));

        static IEnumerable<string> Attributes(JsonElement data) =>
            data.GetProperty("attributes").EnumerateObject().Where(p => p.Name is not "updated_at").Select(p => p.ToString());
    }

    [Fact]
    public async Task A_list_shows_archived_records_only_where_it_is_asked_to()
    {
        for (var i = 0; i < 5; i++) await Api.Create("contacts", new { first_name = $"Jane {i}" });
        var gone = (await Api.Get("/v1/contacts?first_name=3")).Ids.Single();
        await Archive("people", gone);

        Assert.Equal((4, 4, false), await People(""));
        Assert.Equal((5, 5, true), await People("?withArchived=true"));
        Assert.Equal(404, (await Send(HttpMethod.Get, $"people/{gone}")).Status);
        Assert.Equal(200, (await Send(HttpMethod.Get, $"people/{gone}?withArchived=true")).Status);

        async Task<(int Shown, int Total, bool HasGone)> People(string query)
        {
            using var page = await door.GetAsync(new Uri("/api/people" + query, UriKind.Relative));
            var ids = JsonElement.Parse(await page.Content.ReadAsStringAsync()).EnumerateArray().Select(one => one.GetProperty("id").GetString()).ToList();
            return (ids.Count, int.Parse(page.Content.Headers.GetValues("Content-Range").Single().Split('/')[1], null), ids.Contains(gone));
        }
    }

    [Fact]
    public async Task Links_to_an_archived_record_stay_and_lead_to_nothing_that_is_shown()
    {
        var company = await Api.Create("companies", new { name = "Acme" });
        var jane = await Api.Create("contacts", new { first_name = "Jane", company_id = company.Id });
        await Archive("companies", company.Id);

        var seen = (await Api.Get($"/v1/contacts/{jane.Id}?include=company")).Is(200);
        Assert.Equal((company.Id, JsonValueKind.Null), (seen.Text("company_id"), seen["company"].ValueKind));
        Assert.Equal([jane.Id], (await Api.Get($"/v1/contacts?company_id={company.Id}")).Ids);
        Assert.Empty((await Api.Get("/v1/contacts?company.name=acme")).List);
        Assert.Equal(company.Id, (await Api.Patch($"/v1/contacts/{jane.Id}", new { title = "CEO", company_id = company.Id })).Is(200).Text("company_id"));
        (await Api.Post("/v1/contacts", new { company_id = company.Id })).IsError(422, "UNPROCESSABLE_ENTITY", "company_id");
        var batch = new { atomic = true, operations = new[] { new { op = "create", data = new { company_id = company.Id } } } };
        var refused = (await Api.Post("/v1/contacts/batch", batch)).Is(422);
        Assert.Contains($"No company with id '{company.Id}'", refused.Raw, StringComparison.Ordinal);

        await Restore("companies", company.Id);

        Assert.Equal("Acme", (await Api.Get($"/v1/contacts/{jane.Id}?include=company"))["company"].GetProperty("name").GetString());
        await Api.Create("contacts", new { company_id = company.Id });
    }

    [Fact]
    public async Task What_is_counted_and_included_of_others_leaves_archived_records_out()
    {
        var company = await Api.Create("companies", new { name = "Acme" });
        var jane = await Api.Create("contacts", new { first_name = "Jane", company_id = company.Id });
        var john = await Api.Create("contacts", new { first_name = "John", company_id = company.Id });
        var deal = await Api.Create("deals", new { title = "Big", contact_id = jane.Id, company_id = company.Id });
        var note = await Api.Create("activities", new { type = "note", contact_id = john.Id });
        await Archive("people", jane.Id);
        await Archive("activities", note.Id);

        var shown = await Api.Get($"/v1/companies/{company.Id}?include=contacts,contact_count");
        Assert.Equal([john.Id], shown["contacts"].EnumerateArray().Select(c => c.GetProperty("id").GetString()!));
        Assert.Equal(1, shown["contact_count"].GetInt32());
        Assert.Equal(JsonValueKind.Null, (await Api.Get($"/v1/deals/{deal.Id}?include=contact"))["contact"].ValueKind);
        Assert.DoesNotContain(note.Id, (await Api.Get($"/v1/contacts/{john.Id}/timeline")).Ids);
        Assert.Empty((await Api.Get($"/v1/activities?contact_id={john.Id}")).List);

        await Archive("deals", deal.Id);
        Assert.Equal(0, (await Api.Get($"/v1/pipelines/{deal.Text("pipeline_id")}?include=deal_count"))["deal_count"].GetInt32());
        await Restore("activities", note.Id);
        Assert.Contains(note.Id, (await Api.Get($"/v1/contacts/{john.Id}/timeline")).Ids);
    }

    [Fact]
    public async Task An_archived_record_keeps_its_unique_values_and_a_conflict_says_so()
    {
        var jane = await Api.Create("contacts", new { email = "jane@example.com" });
        var john = await Api.Create("contacts", new { email = "john@example.com" });
        await Archive("people", jane.Id);

        var upsert = new { operations = new[] { new { op = "upsert", match_on = "email", data = new { email = "JANE@example.com", first_name = "New" } } } };
        var conflicts = new[]
        {
            (await Api.Post("/v1/contacts", new { email = "Jane@example.com" })).IsError(409, "CONFLICT", "email").Message,
            (await Api.Patch($"/v1/contacts/{john.Id}", new { email = "jane@example.com" })).IsError(409, "CONFLICT", "email").Message,
            (await Api.Post("/v1/contacts/batch", upsert)).Is(200).Raw,
        };

        Assert.All(conflicts, message => Assert.Contains($"it is archived as '{jane.Id}': restore it, or delete it", message, StringComparison.Ordinal));
        await Restore("people", jane.Id);
        var plain = (await Api.Post("/v1/contacts", new { email = "jane@example.com" })).IsError(409, "CONFLICT", "email").Message;
        Assert.DoesNotContain("archived", plain, StringComparison.Ordinal);
        (await Api.Post("/v1/contacts/batch", upsert)).Is(200);
        Assert.Equal("New", (await Api.Get($"/v1/contacts/{jane.Id}")).Text("first_name"));
    }

    [Fact]
    public async Task What_changes_many_records_changes_archived_ones_too()
    {
        var company = await Api.Create("companies", new { name = "Acme" });
        var tag = await Api.Create("tags", new { name = "old" });
        var field = await Define("contact", "plan", "text");
        var jane = await Api.Create("contacts", new { company_id = company.Id, tags = new[] { "old" }, custom_fields = new { plan = "Pro" } });
        var pipeline = await NewPipeline();
        var deal = await Api.Create("deals", new { title = "Big", pipeline_id = pipeline.Id, stage_id = StageId(pipeline, "Talks"), contact_id = jane.Id });
        await Archive("people", jane.Id);
        await Archive("deals", deal.Id);

        (await Api.Delete($"/v1/companies/{company.Id}")).Is(204);
        (await Api.Patch($"/v1/tags/{tag.Id}", new { name = "new" })).Is(200);
        (await Api.Delete($"/v1/custom-fields/{field.Id}")).Is(204);
        (await Api.Patch($"/v1/pipelines/{pipeline.Id}/stages/{StageId(pipeline, "Talks")}", new { type = "won" })).Is(200);
        var held = (await Api.Delete($"/v1/pipelines/{pipeline.Id}")).IsError(409, "CONFLICT").Message;
        var stage = (await Api.Delete($"/v1/pipelines/{pipeline.Id}/stages/{StageId(pipeline, "Talks")}")).IsError(409, "CONFLICT").Message;

        Assert.All([held, stage], message => Assert.StartsWith("Still in use by archived deals", message, StringComparison.Ordinal));
        await Restore("people", jane.Id);
        await Restore("deals", deal.Id);
        var after = await Api.Get($"/v1/contacts/{jane.Id}");
        Assert.Equal((JsonValueKind.Null, "[\"new\"]", "{}"), (after["company_id"].ValueKind, after["tags"].GetRawText(), after["custom_fields"].GetRawText()));
        Assert.NotNull((await Api.Get($"/v1/deals/{deal.Id}")).Text("closed_at"));
    }

    [Fact]
    public async Task Records_of_custom_objects_are_archived_with_their_relations()
    {
        var fields = new[] { new { name = "Client", field_type = "relation" } };
        await Api.Create("objects", new { singular_name = "Project", plural_name = "Projects", fields });
        var jane = await Api.Create("contacts", new { first_name = "Jane" });
        var apollo = await Api.Create("objects/projects/records", new { name = "Apollo", custom_fields = new { client = jane.Id } });
        await Archive("people", jane.Id);

        var gemini = await Api.Post("/v1/objects/projects/records", new { name = "Gemini", custom_fields = new { client = jane.Id } });
        gemini.IsError(422, "UNPROCESSABLE_ENTITY", "custom_fields.client");
        var kept = await Api.Patch($"/v1/objects/projects/records/{apollo.Id}", new { name = "Apollo 11", custom_fields = new { client = jane.Id } });
        Assert.Equal(jane.Id, kept.Is(200)["custom_fields"].GetProperty("client").GetString());
        await Archive("projects", apollo.Id);
        Assert.Empty((await Api.Get("/v1/objects/projects/records")).List);
        Assert.Contains("1 record, of which 1 archived", (await Api.Delete("/v1/objects/projects")).IsError(409, "CONFLICT").Message, StringComparison.Ordinal);
        await Restore("people", jane.Id);
        (await Api.Delete($"/v1/contacts/{jane.Id}")).Is(204);
        Assert.Equal("{}", (await Restore("projects", apollo.Id)).GetProperty("customFields").GetRawText());
    }

    [Fact]
    public async Task Archive_and_restore_are_writes_like_any_other()
    {
        var jane = await Api.Create("contacts", new { first_name = "Jane" });

        Assert.Equal(412, (await Send(HttpMethod.Delete, $"people/{jane.Id}", ("If-Match", "\"7\""))).Status);
        Assert.Equal(200, (await Send(HttpMethod.Delete, $"people/{jane.Id}?dry_run=true")).Status);
        (await Api.Get($"/v1/contacts/{jane.Id}")).Is(200);
        var unchanged = await Restore("people", jane.Id);
        Assert.Equal((jane.Text("updated_at"), "\"1\""), (unchanged.GetProperty("updatedAt").GetString(), (await Api.Get($"/v1/contacts/{jane.Id}")).ETag));

        var key = Server.FreshId("key_");
        var first = await Send(HttpMethod.Delete, $"people/{jane.Id}", ("If-Match", "\"1\""), ("Idempotency-Key", key));
        var repeat = await Send(HttpMethod.Delete, $"people/{jane.Id}", ("If-Match", "\"1\""), ("Idempotency-Key", key));
        Assert.Equal((200, first.Body), (repeat.Status, repeat.Body));
        Assert.Equal(404, (await Send(HttpMethod.Delete, $"people/{jane.Id}")).Status);
        Assert.Equal(412, (await Send(HttpMethod.Post, $"people/{jane.Id}/restore", ("If-Match", "\"1\""))).Status);
        Assert.Equal(404, (await Send(HttpMethod.Post, $"people/{Server.FreshId("ct_")}/restore")).Status);
        Assert.Equal(400, (await Send(HttpMethod.Delete, $"pipelines/{(await DefaultPipeline()).Id}")).Status);
        Assert.Equal(400, (await Send(HttpMethod.Post, $"tags/{Server.FreshId("tag_")}/restore")).Status);
    }

    [Fact]
    public async Task The_events_are_archived_and_restored_with_the_attributes_of_v1()
    {
        var jane = await Api.Create("contacts", new { first_name = "Jane" });
        await Archive("people", jane.Id);
        await Restore("people", jane.Id);

        var events = await Server.EventsOf(Workspace, jane.Id);
        Assert.Equal(["contact.created", "contact.archived", "contact.restored"], events.Select(e => e.GetProperty("event").GetString()));
        Assert.All(events, e => Assert.False(e.TryGetProperty("previous_attributes", out _)));
        Assert.All(events, e => Assert.False(e.GetProperty("data").GetProperty("attributes").TryGetProperty("archived_at", out _)));
        Assert.Equal([1L, 2, 3], events.Select(e => e.GetProperty("metadata").GetProperty("version").GetInt64()));
        Assert.Single((await Api.Get("/v1/events?type=contact.archived")).Is(200).List);
        await Api.Create("webhooks", new { url = "https://example.com/", events = new[] { "contact.archived", "deal.restored", "projects.archived" } });
    }

    [Fact]
    public async Task V1_knows_no_archived_at()
    {
        var jane = await Api.Create("contacts", new { first_name = "Jane" });

        Assert.False(jane.Data.GetProperty("attributes").TryGetProperty("archived_at", out _));
        foreach (var query in new[] { "archived_at[exists]=true", "archived_at=2026-01-15", "sort=archived_at", "fields=archived_at",
            "company.archived_at[exists]=false" })
            (await Api.Get($"/v1/contacts?{query}")).IsError(400, "VALIDATION_ERROR");
        (await Api.Patch($"/v1/contacts/{jane.Id}", new { archived_at = (string?)null })).IsError(400, "VALIDATION_ERROR", "archived_at");
    }

    [Fact]
    public async Task Nobody_archives_or_restores_in_another_environment()
    {
        var jane = await Api.Create("contacts", new { first_name = "Jane" });
        var others = new[] { ClientOf((await Server.NewWorkspace()).Owner.Key), ClientOf((await Api.InTest()).Key) };

        foreach (var other in others) Assert.Equal(404, (await Send(other, HttpMethod.Delete, $"people/{jane.Id}")).Status);
        await Archive("people", jane.Id);
        foreach (var other in others)
        {
            Assert.Equal(404, (await Send(other, HttpMethod.Post, $"people/{jane.Id}/restore")).Status);
            Assert.Equal(404, (await Send(other, HttpMethod.Get, $"people/{jane.Id}?withArchived=true")).Status);
            other.Dispose();
        }

        await Restore("people", jane.Id);
    }

    protected async Task<JsonElement> Archive(string resource, string id) => Sound(await Send(HttpMethod.Delete, $"{resource}/{id}"));

    protected async Task<JsonElement> Restore(string resource, string id) => Sound(await Send(HttpMethod.Post, $"{resource}/{id}/restore"));

    private Task<(int Status, string Body)> Send(HttpMethod method, string path, params (string Name, string Value)[] headers) =>
        Send(door, method, path, headers);

    private static async Task<(int Status, string Body)> Send(HttpClient client, HttpMethod method, string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, new Uri($"/api/{path}", UriKind.Relative));
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        using var answer = await client.SendAsync(request);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    private static JsonElement Sound((int Status, string Body) answer)
    {
        if (answer.Status != 200) Assert.Fail($"{answer.Status}: {answer.Body}");
        return JsonElement.Parse(answer.Body);
    }

    private HttpClient ClientOf(string key)
    {
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        var client = new HttpClient(new SocketsHttpHandler()) { BaseAddress = new Uri(address) };
        client.DefaultRequestHeaders.Add("Authorization", $"Bearer {key}");
        return client;
    }
}
