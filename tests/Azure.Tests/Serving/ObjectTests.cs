using NodeStash.Support.Running;

namespace NodeStash.Azure.Tests.Serving;

/// <summary>Custom objects where records of all types share a container.</summary>
public sealed class ObjectTests : IAsyncLifetime
{
    private const string Projects = "objects/projects/records";

    private readonly CosmosServer server = new();
    private Api owner = null!;

    public async ValueTask InitializeAsync()
    {
        await server.InitializeAsync();
        owner = (await server.NewWorkspace()).Owner;
        var fields = new[] { new { name = "Budget", field_type = "number" }, new { name = "Client", field_type = "relation" } };
        foreach (var plural in new[] { "Projects", "Houses" }) await owner.Create("objects", new { singular_name = plural, plural_name = plural, fields });
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task A_list_with_one_filter_shows_records_of_its_object_alone_each_once()
    {
        foreach (var collection in new[] { Projects, "objects/houses/records", "companies" })
        {
            for (var i = 0; i < 5; i++) await owner.Create(collection, new { name = $"{collection} {i}", custom_fields = new { budget = i, phase = "plan" } });
        }

        foreach (var filter in new[] { "custom_fields[phase]=plan", "custom_fields[budget][in]=0,1,2,3,4", "custom_fields[budget][lte]=4",
            "custom_fields[none][exists]=false", "name[in]=x,objects" })
        {
            var names = (await owner.Pages($"/v1/{Projects}?limit=2&sort=-custom_fields[budget]&{filter}")).SelectMany(page => page.List)
                .Select(r => r.GetProperty("attributes").GetProperty("name").GetString());
            Assert.Equal(
                filter.StartsWith("name", StringComparison.Ordinal) ? [] : [.. Enumerable.Range(0, 5).Reverse().Select(i => $"{Projects} {i}")], names);
        }
    }

    [Fact]
    public async Task What_is_deleted_is_related_to_no_more_and_an_object_goes_with_its_records()
    {
        var client = await owner.Create("contacts", new { custom_fields = new { client = "stays" } });
        var project = await owner.Create(Projects, new { name = "Apollo", custom_fields = new { client = client.Id } });
        var house = await owner.Create("objects/houses/records", new { name = "White", custom_fields = new { client = project.Id } });
        var other = await owner.Create("contacts", new { custom_fields = new { client = client.Id } });

        (await owner.Delete($"/v1/contacts/{client.Id}")).Is(204);
        Assert.Equal("{}", (await owner.Get($"/v1/{Projects}/{project.Id}"))["custom_fields"].GetRawText());
        Assert.Equal($$"""{"client":"{{client.Id}}"}""", (await owner.Get($"/v1/contacts/{other.Id}"))["custom_fields"].GetRawText());

        (await owner.Delete("/v1/objects/projects?force=true")).Is(204);
        (await owner.Get($"/v1/{Projects}/{project.Id}")).IsNotFound();
        Assert.Equal("{}", (await owner.Get($"/v1/objects/houses/records/{house.Id}"))["custom_fields"].GetRawText());
        await owner.Create("objects", new { singular_name = "Project", plural_name = "Projects" });
        Assert.Empty((await owner.Get($"/v1/{Projects}")).Is(200).List);
    }
}
