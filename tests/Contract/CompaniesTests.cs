using NodeStash.Contract.Tests.Running;

namespace NodeStash.Contract.Tests;

/// <summary>The API's contract, Companies.</summary>
public sealed class CompaniesTests(Deployment deployment) : ContractTests(deployment)
{
    [Fact]
    public async Task A_name_is_required_and_cannot_be_cleared()
    {
        (await Api.Post("companies", new { })).IsInvalid("name");
        (await Api.Post("companies", new { name = "" })).IsInvalid("name");
        (await Api.Patch($"companies/{(await Company()).Id}", """{"name":null}""")).IsInvalid("name");
    }

    [Fact]
    public async Task It_has_name_domain_industry_size_custom_fields_and_tags() =>
        Assert.Equal(["id", "name", "domain", "industry", "size", "custom_fields", "tags", "created_at", "updated_at"],
            (await Company()).Attributes.Select(member => member.Key));

    [Theory]
    [InlineData("name", 200)]
    [InlineData("domain", 255)]
    [InlineData("industry", 100)]
    [InlineData("size", 50)]
    public async Task A_text_has_at_most_so_many_characters(string field, int maxLength)
    {
        await Create("companies", Map(("name", "Acme")).Concat(Map((field, Unique.PadRight(maxLength, 'x')))).DistinctByLast());
        (await Api.Post("companies", Map(("name", "Acme")).Concat(Map((field, new string('x', maxLength + 1)))).DistinctByLast())).IsInvalid(field);
    }

    [Fact]
    public async Task A_domain_is_unique()
    {
        await Create("companies", new { name = "Acme", domain = $"{Unique}.example.com" });

        (await Api.Post("companies", new { name = "Other", domain = $"{Unique}.example.com" })).IsError(409, "CONFLICT");
    }

    [Fact]
    public async Task Filters_name_domain_and_industry_are_substrings_size_is_exact_and_tags_must_have_all()
    {
        var company = await Create("companies",
            new { name = $"Acme {Unique} GmbH", domain = $"{Unique}.example.com", industry = $"Steel {Unique}", size = Unique, tags = new[] { Unique, "b" } });
        await Create("companies", new { name = "Other", size = Unique + "x", tags = new[] { "b" } });

        foreach (var filter in new[] { $"name={Unique} GMBH", $"domain={Unique}.EXAMPLE", $"industry=steel {Unique}", $"size={Unique}", $"tags=b,{Unique}" })
            Assert.Equal([company.Id], (await Api.Get($"companies?{filter}")).Is(200).Ids);
    }

    [Theory]
    [InlineData("created_at")]
    [InlineData("updated_at")]
    [InlineData("name")]
    [InlineData("domain")]
    public async Task It_sorts_by(string field)
    {
        var (a, b) = (await Create("companies", new { name = "a", domain = $"a.{Unique}.com", size = Unique }),
            await Create("companies", new { name = "b", domain = $"b.{Unique}.com", size = Unique }));

        Assert.Equal([a.Id, b.Id], (await Api.Get($"companies?size={Unique}&sort={field}")).Is(200).Ids);
        Assert.Equal([b.Id, a.Id], (await Api.Get($"companies?size={Unique}&sort=-{field}")).Is(200).Ids);
    }

    [Fact]
    public async Task Include_contacts_and_contact_count()
    {
        var company = await Company();
        var contacts = new[] { (await Contact(new { company_id = company.Id })).Id, (await Contact(new { company_id = company.Id })).Id };

        var included = (await Api.Get($"companies/{company.Id}?include=contacts,contact_count")).Is(200).Attributes;

        Assert.Equal(2, (int)included["contact_count"]!);
        Assert.Equal(contacts.Order(StringComparer.Ordinal), included["contacts"]!.AsArray().Select(c => (string)c!["id"]!).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Delete_keeps_the_contacts_deals_and_activities_and_nulls_their_company_id_however_many_there_are()
    {
        var company = await Company();
        var made = new List<(string Collection, string Id)>();
        foreach (var contact in await Task.WhenAll(Enumerable.Range(0, 110).Select(_ => Contact(new { company_id = company.Id }))))
            made.Add(("contacts", contact.Id));
        made.Add(("deals", (await Deal(new { title = "Licence", company_id = company.Id })).Id));
        made.Add(("activities", (await Create("activities", new { type = "note", company_id = company.Id })).Id));

        (await Api.Delete($"companies/{company.Id}")).Is(204);

        foreach (var (collection, id) in made) Assert.Equal("null", (await Api.Get($"{collection}/{id}")).Is(200)["company_id"]);
    }
}

internal static class Maps
{
    /// <summary>One value for each name: the last.</summary>
    public static Dictionary<string, object?> DistinctByLast(this IEnumerable<KeyValuePair<string, object?>> entries) =>
        entries.GroupBy(e => e.Key).ToDictionary(g => g.Key, g => g.Last().Value);
}
