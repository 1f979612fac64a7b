using System.Text.Json.Nodes;
using NodeStash.Contract.Tests.Running;

namespace NodeStash.Contract.Tests;

/// <summary>The API's contract, Contacts.</summary>
public sealed class ContactsTests(Deployment deployment) : ContractTests(deployment)
{
    [Fact]
    public async Task All_is_optional() =>
        Assert.Equal(
            ["id", "email", "first_name", "last_name", "phone", "company_id", "title", "source", "custom_fields", "tags", "created_at", "updated_at"],
            (await Contact(new { })).Attributes.Select(member => member.Key));

    [Fact]
    public async Task All_fields_are_stored_as_given()
    {
        var company = await Company();
        var contact = await Contact(new
        {
            email = Email(), first_name = "Jané", last_name = "O'Neil 漢字 😀", phone = "+49 30 1234", company_id = company.Id, title = "CTO", source = "web",
            custom_fields = new { plan = "pro" }, tags = new[] { "vip", "Beta" },
        });

        Assert.Equal(
            ($"\"{Email()}\"", "Jané", "O'Neil 漢字 😀", "\"+49 30 1234\"", $"\"{company.Id}\"", "\"CTO\"", "\"web\"", """{"plan":"pro"}""",
                """["vip","Beta"]"""),
            (contact["email"], (string?)contact.Attributes["first_name"], (string?)contact.Attributes["last_name"], contact["phone"], contact["company_id"],
                contact["title"], contact["source"], contact["custom_fields"],
                contact["tags"]));
    }

    [Theory]
    [InlineData("first_name", 100)]
    [InlineData("last_name", 100)]
    [InlineData("phone", 50)]
    [InlineData("title", 200)]
    [InlineData("source", 100)]
    public async Task A_text_has_at_most_so_many_characters(string field, int maxLength)
    {
        await Contact(Map((field, new string('x', maxLength))));
        (await Api.Post("contacts", Map((field, new string('x', maxLength + 1))))).IsInvalid(field);
    }

    [Fact]
    public async Task There_are_at_most_20_tags_of_50_characters()
    {
        await Contact(new { tags = Enumerable.Range(0, 20).Select(i => $"{i}".PadLeft(50, 't')) });
        (await Api.Post("contacts", new { tags = Enumerable.Range(0, 21).Select(i => $"t{i}") })).IsInvalid("tags");
        (await Api.Post("contacts", new { tags = new[] { new string('t', 51) } })).IsInvalid("tags[0]");
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("a@")]
    [InlineData("@b.com")]
    [InlineData("a b@c.com")]
    [InlineData("")]
    public async Task An_email_is_valid(string email) => (await Api.Post("contacts", new { email })).IsInvalid("email");

    [Fact]
    public async Task An_email_is_unique_per_workspace_case_insensitive()
    {
        await Contact(new { email = Email() });

        var refused = (await Api.Post("contacts", new { email = Email().ToUpperInvariant() })).IsError(409, "CONFLICT");

        Assert.Equal($"A contact with email '{Email().ToUpperInvariant()}' already exists in this workspace", refused.Message);
    }

    [Fact]
    public async Task An_email_of_another_contact_is_refused_on_update_too_and_free_once_that_contact_is_gone()
    {
        var (first, second) = (await Contact(new { email = Email() }), await Contact());

        (await Api.Patch($"contacts/{second.Id}", new { email = Email() })).IsError(409, "CONFLICT");
        (await Api.Delete($"contacts/{first.Id}")).Is(204);
        (await Api.Patch($"contacts/{second.Id}", new { email = Email() })).Is(200);
    }

    [Fact]
    public async Task Of_64_at_once_with_one_email_one_is_created()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => Api.Post("contacts", new { email = Email() })));
        Made(answers.First(a => a.Status == 201), "contacts");

        Assert.Single(answers, a => a.Status == 201);
        Assert.All(answers.Where(a => a.Status != 201), a => a.IsError(409, "CONFLICT"));
    }

    [Fact]
    public async Task Filters_email_first_name_and_last_name_are_case_insensitive_substrings()
    {
        var contact = await Contact(new { email = Email("jane"), first_name = $"Jane {Unique}", last_name = $"Smith {Unique}" });
        await Contact(new { email = Email("joe"), first_name = "Joe", last_name = "Doe" });

        foreach (var filter in new[] { $"email=JANE.{Unique}", $"first_name=ANE {Unique}", $"last_name=smith {Unique}" })
            Assert.Equal([contact.Id], (await Api.Get($"contacts?{filter}")).Is(200).Ids);
    }

    [Fact]
    public async Task Filters_company_id_and_source_are_exact_and_tags_must_have_all()
    {
        var company = await Company();
        var contact = await Contact(new { company_id = company.Id, source = Unique, tags = new[] { Unique, "b" } });
        await Contact(new { source = Unique + "x", tags = new[] { Unique } });

        foreach (var filter in new[] { $"company_id={company.Id}", $"source={Unique}", $"tags=b,{Unique}" })
            Assert.Equal([contact.Id], (await Api.Get($"contacts?{filter}")).Is(200).Ids);
        Assert.Equal(2, (await Api.Get($"contacts?tags={Unique}")).Is(200).List.Count);
        Assert.Empty((await Api.Get($"contacts?tags={Unique},c")).Is(200).List);
    }

    [Theory]
    [InlineData("created_at")]
    [InlineData("updated_at")]
    [InlineData("email")]
    [InlineData("first_name")]
    [InlineData("last_name")]
    public async Task It_sorts_by(string field)
    {
        var (a, b) = (await Contact(new { email = Email("a"), first_name = "a", last_name = "a", source = Unique }),
            await Contact(new { email = Email("b"), first_name = "b", last_name = "b", source = Unique }));

        Assert.Equal([a.Id, b.Id], (await Api.Get($"contacts?source={Unique}&sort={field}")).Is(200).Ids);
        Assert.Equal([b.Id, a.Id], (await Api.Get($"contacts?source={Unique}&sort=-{field}")).Is(200).Ids);
    }

    [Fact]
    public async Task Include_company_is_the_company()
    {
        var company = await Company();
        var contact = await Contact(new { company_id = company.Id });

        var included = (await Api.Get($"contacts/{contact.Id}?include=company")).Is(200).Attributes["company"];

        Assert.True(JsonNode.DeepEquals(company.Attributes, included), included.Compact());
    }
}
