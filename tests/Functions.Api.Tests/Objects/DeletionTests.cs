using NodeStash.Support.Running;

namespace NodeStash.Functions.Api.Tests.Objects;

/// <summary>A custom object that is deleted, and all that goes with it.</summary>
public sealed class DeletionTests(Server server) : ApiTests(server)
{
    private const string Projects = "objects/projects/records";
    private const string Visits = "objects/visits/records";

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await Api.Create(
            "objects", new { singular_name = "Project", plural_name = "Projects", fields = new[] { new { name = "Parent", field_type = "relation" } } });
        await Api.Create("objects", new { singular_name = "Visit", plural_name = "Visits", fields = new[] { new { name = "To", field_type = "relation" } } });
    }

    [Fact]
    public async Task Without_records_it_goes_with_its_fields()
    {
        (await Api.Delete("/v1/objects/projects")).Is(204);

        (await Api.Get("/v1/objects/projects")).IsNotFound();
        Assert.Empty((await Api.Get("/v1/custom-fields?entity_type=projects")).List);
        Assert.Equal(["visits"], (await Api.Get("/v1/objects")).List.Select(o => o.GetProperty("attributes").GetProperty("slug").GetString()));
        Assert.Equal(["field.deleted", "object.deleted"],
            (await Server.EventsOf(Workspace)).Select(e => e.GetProperty("event").GetString()!).Where(e => e.EndsWith("deleted", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal));
        await Api.Create("objects", new { singular_name = "Project", plural_name = "Projects" });
    }

    [Fact]
    public async Task With_records_it_stays_and_says_how_many_there_are()
    {
        var record = await Api.Create(Projects, new { name = "Apollo" });

        foreach (var query in new[] { "", "?force=false" })
        {
            var message = (await Api.Delete($"/v1/objects/projects{query}")).IsError(409, "CONFLICT").Message;
            Assert.Contains("1 record", message, StringComparison.Ordinal);
            Assert.Contains("force=true", message, StringComparison.Ordinal);
        }

        (await Api.Delete("/v1/objects/projects?force=perhaps")).IsInvalid("force");
        (await Api.Delete("/v1/objects/projects?force=true&dry_run=true")).Is(204);
        (await Api.Delete("/v1/objects/projects?force=true", ("If-Match", "\"7\""))).IsError(412, "PRECONDITION_FAILED");
        (await Api.Get($"/v1/{Projects}/{record.Id}")).Is(200);
        (await Api.Delete($"/v1/{Projects}/{record.Id}")).Is(204);
        (await Api.Delete("/v1/objects/projects")).Is(204);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(70)]
    public async Task With_force_all_of_it_is_gone_at_once_and_told_of(int many)
    {
        var (projects, visits, stays) = (new List<string>(), new List<string>(), await Api.Create("contacts", new { first_name = "Zeppelin" }));
        for (var i = 0; i < many; i++)
        {
            projects.Add(
                (await Api.Create(Projects,
                    new { name = $"Zeppelin {i}", custom_fields = i == 0 ? new() : new Dictionary<string, string> { ["parent"] = projects[^1] } })).Id);
            visits.Add((await Api.Create(Visits, new { name = $"V{i}", custom_fields = new { to = i % 10 == 9 ? stays.Id : projects[^1] } })).Id);
        }

        await Server.Indexed();
        (await Api.Delete("/v1/objects/projects?force=true")).Is(204);

        async Task Hold()
        {
            (await Api.Get($"/v1/{Projects}")).IsNotFound();
            Assert.Empty((await Api.Get("/v1/custom-fields?entity_type=projects")).List);
            var related = (await Api.Get($"/v1/{Visits}?custom_fields[to][exists]=true&limit=100")).List;
            Assert.Equal(many / 10, related.Count);
            Assert.All(related, item => Assert.Equal(stays.Id, item.GetProperty("attributes").GetProperty("custom_fields").GetProperty("to").GetString()));
            Assert.Empty((await Api.Get($"/v1/{Visits}?custom_fields[to]={projects[0]}")).List);
            Assert.Equal("{}", (await Api.Get($"/v1/{Visits}/{visits[0]}"))["custom_fields"].GetRawText());
            (await Api.Patch($"/v1/{Visits}/{visits[1]}", new { custom_fields = new { to = projects[^1] } })).IsError(422, "UNPROCESSABLE_ENTITY");
            Assert.Equal([stays.Id], (await Api.Get("/v1/search?q=zeppelin")).Is(200).Ids);
        }

        await Hold();
        await Server.Settled(Workspace);
        await Hold();

        var told = (await Server.EventsOf(Workspace)).Where(e => e.GetProperty("event").GetString() == "projects.deleted")
            .Select(e => e.GetProperty("data").GetProperty("id").GetString()!).ToList();
        Assert.Equal(projects.Order(StringComparer.Ordinal), told.Order(StringComparer.Ordinal));
        await Api.Create("objects", new { singular_name = "Project", plural_name = "Projects" });
        Assert.Empty((await Api.Get($"/v1/{Projects}")).List);
    }

    [Fact]
    public async Task Until_its_records_are_gone_its_slug_is_not_used_again()
    {
        for (var i = 0; i < 200; i += 100)
            await Api.Post(
                $"/v1/{Projects}/batch", new { operations = Enumerable.Range(0, 100).Select(n => new { op = "create", data = new { name = $"P{n}" } }) });
        (await Api.Delete("/v1/objects/projects?force=true")).Is(204);

        // It is 409 until they are gone, however soon that is; then there is one, without a record.
        Reply again;
        do again = await Api.Post("/v1/objects", new { singular_name = "Project", plural_name = "Projects" });
        while (again.Status == 409);
        again.Is(201);
        Assert.Empty((await Api.Get($"/v1/{Projects}")).Is(200).List);
    }

    [Fact]
    public async Task Of_records_that_are_made_meanwhile_none_is_left()
    {
        using var done = new CancellationTokenSource();
        var makers = Enumerable.Range(0, 4).Select(async _ =>
        {
            while (!done.IsCancellationRequested)
            {
                var reply = await Api.Post($"/v1/{Projects}", new { name = "Apollo" });
                if (reply.Status != 201) reply.IsNotFound();
            }
        }).ToList();
        while ((await Api.Get($"/v1/{Projects}?limit=50")).List.Count < 50) await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
        (await Api.Delete("/v1/objects/projects?force=true")).Is(204);
        await done.CancelAsync();
        await Task.WhenAll(makers);
        await Server.Settled(Workspace);

        await Api.Create("objects", new { singular_name = "Project", plural_name = "Projects" });
        Assert.Empty((await Api.Get($"/v1/{Projects}")).Is(200).List);
    }
}
