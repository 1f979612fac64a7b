using NodeStash.Support.Running;

namespace NodeStash.Functions.Api.Tests.Tags;

public sealed class TagTests(Server server) : ApiTests(server)
{
    private static readonly (string Collection, string Body)[] Bearers =
    [
        ("contacts", """{"tags":["first","vip","last"]}"""), ("companies", """{"name":"Acme","tags":["first","vip","last"]}"""),
        ("deals", """{"title":"Licence","tags":["first","vip","last"]}"""), ("activities", """{"type":"note","tags":["first","vip","last"]}"""),
    ];

    [Fact]
    public async Task It_is_answered_whole()
    {
        var tag = await Api.Create("tags", new { name = "vip", color = "#1F6FEB" });
        Assert.Equal(["id", "name", "color", "created_at", "updated_at"], tag.Data.GetProperty("attributes").EnumerateObject().Select(p => p.Name));
        Assert.Equal(("tag", "vip", "#1F6FEB", $"/v1/tags/{tag.Id}"),
            (tag.Data.GetProperty("type").GetString(), tag.Text("name"), tag.Text("color"), tag.Header("Location")));
        Assert.StartsWith("tag_", tag.Id, StringComparison.Ordinal);
        Assert.Null((await Api.Create("tags", new { name = "plain" })).Text("color"));
        Assert.Equal(["plain", "vip"], (await Api.Get("/v1/tags?sort=name")).List.Select(t => t.GetProperty("attributes").GetProperty("name").GetString()));
    }

    [Theory]
    [InlineData("""{}""", "name")]
    [InlineData("""{"name":" "}""", "name")]
    [InlineData("""{"name":"vip","color":"red"}""", "color")]
    [InlineData("""{"name":"vip","color":"#12345"}""", "color")]
    [InlineData("""{"name":"vip","color":"#12345G"}""", "color")]
    public async Task What_is_wrong_is_named(string body, string field) => (await Api.Post("/v1/tags", body)).IsInvalid(field);

    [Fact]
    public async Task A_name_is_unique_whatever_its_case()
    {
        await Api.Create("tags", new { name = "vip" });
        (await Api.Post("/v1/tags", new { name = "VIP" })).IsError(409, "CONFLICT");
        var other = await Api.Create("tags", new { name = "other" });
        (await Api.Patch($"/v1/tags/{other.Id}", new { name = "Vip" })).IsError(409, "CONFLICT");
    }

    [Theory]
    [InlineData(2)]
    [InlineData(40)]
    public async Task Renaming_it_renames_it_on_every_record(int each)
    {
        var tag = await Api.Create("tags", new { name = "vip" });
        var records = await Bear(each);

        (await Api.Patch($"/v1/tags/{tag.Id}", new { name = "key account" })).Is(200);

        await AllBear("""["first","key account","last"]""", records);
        foreach (var (collection, _) in Bearers)
        {
            Assert.Empty((await Api.Get($"/v1/{collection}?tags=vip")).List);
            Assert.Equal(each, (await Api.Get($"/v1/{collection}?tags=key account&limit=100")).List.Count);
        }

        await Server.Settled(Workspace);
        await AllBear("""["first","key account","last"]""", records);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(40)]
    public async Task Deleting_it_takes_it_off_every_record(int each)
    {
        var tag = await Api.Create("tags", new { name = "vip" });
        var records = await Bear(each);
        (await Api.Delete($"/v1/tags/{tag.Id}")).Is(204);
        await AllBear("""["first","last"]""", records);
        await Server.Settled(Workspace);
        await AllBear("""["first","last"]""", records);
    }

    [Fact]
    public async Task Renamed_to_what_a_record_has_already_it_is_there_once()
    {
        var tag = await Api.Create("tags", new { name = "vip" });
        var contact = await Api.Create("contacts", """{"tags":["a","vip","b"]}""");
        (await Api.Patch($"/v1/tags/{tag.Id}", new { name = "b" })).Is(200);
        Assert.Equal("""["a","b"]""", (await Api.Get($"/v1/contacts/{contact.Id}")).Json("tags"));
    }

    [Fact]
    public async Task Another_colour_changes_no_record()
    {
        var tag = await Api.Create("tags", new { name = "vip" });
        var contact = await Api.Create("contacts", """{"tags":["vip"]}""");
        (await Api.Patch($"/v1/tags/{tag.Id}", new { color = "#000000" })).Is(200);
        Assert.Equal("\"1\"", (await Api.Get($"/v1/contacts/{contact.Id}")).ETag);
    }

    private async Task<IReadOnlyList<string>> Bear(int each)
    {
        var records = new List<string>();
        foreach (var (collection, body) in Bearers)
            records.AddRange((await Task.WhenAll(Enumerable.Range(0, each).Select(_ => Api.Create(collection, body)))).Select(r => $"/v1/{collection}/{r.Id}"));
        return records;
    }

    private async Task AllBear(string tags, IReadOnlyList<string> records)
    {
        foreach (var record in records) Assert.Equal(tags, (await Api.Get(record)).Json("tags"));
    }
}
