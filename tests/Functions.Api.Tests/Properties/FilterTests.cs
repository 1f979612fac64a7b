using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using NodeStash.Support.Running;
using Property = NodeStash.Support.Property;

namespace NodeStash.Functions.Api.Tests.Properties;

/// <summary>A list finds what its filters mean (docs/api/v1.md, Filters): every operator on every type, held against <see cref="Filter.Holds"/>.</summary>
[Collection(nameof(OnePropertyServer))]
public sealed class FilterTests(Server server)
{
    private static readonly string[] Texts = ["a", "A", "ab", "Ab c", "b", "Ünï", "üNÏ", "İ", "ß", "漢字", "😀", "\uE000", "%", "_", "a%", "O'Neil \"x\"", "\\",
        "1", "1.5", "true", "null", "-", "2026-01-15", " a "];
    private static readonly string[] Amounts = ["0.00", "-0.01", "0.1", "9.99", "10", "100.10", "100.1", "9999999999999.99", "-9999999999999.99"];
    private static readonly string[] Dates = ["2026-01-14", "2026-01-15", "2026-02-01", "1999-12-31", "0001-01-01", "9999-12-31"];
    private static readonly string[] Times = [
        "2026-01-15T10:30:00Z", "2026-01-15T10:30:01Z", "2026-01-15T12:30:00+02:00", "2026-01-15", "1999-12-31T23:59:59Z"];
    private static readonly string[] Numbers = ["0", "-0", "1", "1.0", "1.5", "0.1", "0.30000000000000004", "-1", "10", "9", "1e3", "1000", "9007199254740993",
        "9007199254740992", "9223372036854775807", "1e300"];
    private static readonly string[] Ordered = ["eq", "neq", "gt", "gte", "lt", "lte", "in", "exists"];
    private static readonly string[] OnTexts = [.. Ordered, "contains", "starts_with"];

    /// <summary>Stand for the ids of the companies and contacts that are made first.</summary>
    private static readonly string[] Companies = ["@company0", "@company1", "@company2"], Contacts = ["@contact0", "@contact1"];

    private static readonly Gen<string> CustomValue = Gen.Frequency(
        (3, Gen.Elements(Texts).Select(Quoted)), (3, Gen.Elements(Numbers)), (1, Gen.Elements("true", "false")),
        (1, Gen.Elements("[]", "{}", "{\"a\":1}", "[1]")),
        (1, Gen.Elements(Texts).Two().Select(pair => $"[{Quoted(pair.Item1)},{Quoted(pair.Item2)}]")));

    /// <summary>Free-form ones, and one that is defined as a number, one as a date.</summary>
    private static readonly Gen<string> Custom =
        from free in Maybe("s", CustomValue)
        from number in Maybe("n", Gen.Elements(Numbers))
        from date in Maybe("d", Gen.Elements(Dates).Select(Quoted))
        select Object(free, number, date);

    private static readonly Gen<string> TagList =
        Gen.SubListOf(Texts.Where(text => text.Length < 4)).Select(tags => $"[{string.Join(',', tags.Take(5).Select(Quoted))}]");

    private static readonly Gen<string> Company =
        from name in Gen.Elements(Texts.Where(text => !string.IsNullOrWhiteSpace(text)))
        from industry in Maybe("industry", Gen.Elements(Texts).Select(Quoted))
        from size in Maybe("size", Gen.Elements(Texts).Select(Quoted))
        from tags in Maybe("tags", TagList)
        from custom in Maybe("custom_fields", Custom)
        select Object($"\"name\":{Quoted(name)}", industry, size, tags, custom);

    private static readonly Gen<string> Contact =
        from email in Maybe(
            "email", Gen.Elements("a@x.com", "A.b@x.com", "b@y.org", "ü@x.com", "z_%@x.com", "c@x.com", "d@x.com", "e@x.com", "F@x.com").Select(Quoted))
        from first in Maybe("first_name", Gen.Elements(Texts).Select(Quoted))
        from last in Maybe("last_name", Gen.Elements(Texts).Select(Quoted))
        from source in Maybe("source", Gen.Elements(Texts).Select(Quoted))
        from company in Maybe("company_id", Gen.Elements(Companies).Select(Quoted))
        from tags in Maybe("tags", TagList)
        from custom in Maybe("custom_fields", Custom)
        select Object(email, first, last, source, company, tags, custom);

    private static readonly Gen<string> Deal =
        from value in Maybe("value", Gen.Elements(Amounts).Select(Quoted))
        from close in Maybe("expected_close_date", Gen.Elements(Dates).Select(Quoted))
        from company in Maybe("company_id", Gen.Elements(Companies).Select(Quoted))
        from contact in Maybe("contact_id", Gen.Elements(Contacts).Select(Quoted))
        from tags in Maybe("tags", TagList)
        from custom in Maybe("custom_fields", Custom)
        select Object("\"title\":\"T\"", value, close, company, contact, tags, custom);

    private static readonly Gen<string> Activity =
        from type in Gen.Elements("note", "task", "call")
        from done in Maybe("is_done", Gen.Elements("true", "false"))
        from due in Maybe("due_date", Gen.Elements(Times).Select(Quoted))
        from contact in Maybe("contact_id", Gen.Elements(Contacts).Select(Quoted))
        from tags in Maybe("tags", TagList)
        from custom in Maybe("custom_fields", Custom)
        select Object($"\"type\":\"{type}\"", done, due, contact, tags, custom);

    private static readonly Gen<string> Project =
        from name in Gen.Elements(Texts.Where(text => !string.IsNullOrWhiteSpace(text)))
        from custom in Maybe("custom_fields", Custom)
        select Object($"\"name\":{Quoted(name)}", custom);

    private static readonly Gen<Filter> OnTags = On("tags", FieldKind.List, [null, "eq", "neq", "in", "exists"], Texts);

    private static readonly Gen<Filter> OnCustomFields = Gen.OneOf(
        On("custom_fields[s]", FieldKind.Custom, [.. OnTexts, null], [.. Texts, .. Numbers]),
        On("custom_fields[n]", FieldKind.Custom, [.. Ordered, null], Numbers), On("custom_fields[d]", FieldKind.Custom, [.. Ordered, null], Dates),
        On("custom_fields[nowhere]", FieldKind.Custom, [.. OnTexts, null], Texts));

    [Fact]
    public Task Contacts_are_found_by_texts_links_tags_and_custom_fields() => Finds("contacts", Contact, Gen.OneOf(
        On("email", FieldKind.Text, [.. OnTexts, null], [.. Texts, "A@X.com", "b@y.org", "@x"]), On("first_name", FieldKind.Text, [.. OnTexts, null], Texts),
        On("last_name", FieldKind.Text, [.. OnTexts, null], Texts),
        On("source", FieldKind.Code, [.. Ordered, null], Texts), OnTags, OnCustomFields, On("company.industry", FieldKind.Text, [.. OnTexts, null], Texts),
        On("company.size", FieldKind.Code, [.. Ordered, null], Texts),
        On("company.tags", FieldKind.List, [null, "eq", "neq", "in", "exists"], Texts),
        On("company.custom_fields[s]", FieldKind.Custom, [.. OnTexts, null], [.. Texts, .. Numbers])));

    [Fact]
    public Task Deals_are_found_by_amounts_dates_and_what_they_link_to() => Finds("deals", Deal, Gen.OneOf(
        On("value", FieldKind.Money, Ordered, Amounts), On("value", FieldKind.Money, Ordered, Amounts),
        On("expected_close_date", FieldKind.Date, Ordered, Dates), OnTags, OnCustomFields,
        On("company.name", FieldKind.Text, [.. OnTexts, null], Texts), On("contact.first_name", FieldKind.Text, [.. OnTexts, null], Texts),
        On("contact.custom_fields[n]", FieldKind.Custom, [.. Ordered, null], Numbers)));

    [Fact]
    public Task Activities_are_found_by_flags_and_times() => Finds("activities", Activity, Gen.OneOf(
        On("is_done", FieldKind.Flag, [null, "eq", "neq", "in", "exists"], ["true", "false"]), On("due_date", FieldKind.Time, Ordered, Times),
        On("type", FieldKind.Code, [null, "eq", "neq", "in", "exists"], ["note", "task", "call"]), OnTags,
        OnCustomFields, On("contact.first_name", FieldKind.Text, [.. OnTexts, null], Texts)));

    [Fact]
    public Task Records_of_custom_objects_are_found_by_name_and_fields() => Finds("objects/projects/records", Project, Gen.OneOf(
        On("name", FieldKind.Text, [.. OnTexts, null], Texts), OnCustomFields));

    private Task Finds(string collection, Gen<string> body, Gen<Filter> filter) => Property.Holds(
        from companies in Gen.ArrayOf(Company, Companies.Length)
        from contacts in Gen.ArrayOf(Contact, Contacts.Length)
        from bodies in Gen.ArrayOf(body, 20)
        from queries in Gen.ArrayOf(Gen.Choose(1, 3).SelectMany(count => Gen.ArrayOf(filter, count)), 60)
        select (companies, contacts, bodies, queries: queries.Select(query => query.DistinctBy(f => (f.Name, f.Operator)).ToArray()).ToArray()),
        async each =>
        {
            var api = (await server.NewWorkspace()).Owner;
            await api.Create("objects", new { singular_name = "Project", plural_name = "Projects" });
            foreach (var entity in new[] { "contact", "company", "deal", "activity", "projects" })
            {
                foreach (var (slug,
                    type) in new[] { ("n", "number"),
                        ("d", "date") }) await api.Create("custom-fields", new { entity_type = entity, name = slug, slug, field_type = type });
            }

            var ids = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var (made, names,
                of) in new[] { (each.companies, Companies, "companies"), (each.contacts, Contacts, "contacts"), (each.bodies, [], collection) })
            {
                for (var i = 0; i < made.Length; i++)
                {
                    var reply = await api.Post(
                        $"/v1/{of}", ids.Aggregate(made[i], (text, pair) => text.Replace(pair.Key, pair.Value, StringComparison.Ordinal)));
                    if (reply.Status == 409 && of is "contacts") reply = await api.Create("contacts", new { }); // that email is given
                    reply.Is(201);
                    if (i < names.Length) ids[names[i]] = reply.Id;
                }
            }

            var linked = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
            foreach (var other in new[] { "companies", "contacts" })
            {
                foreach (var record in (await api.Get($"/v1/{other}?limit=100")).List)
                    linked[record.GetProperty("id").GetString()!] = record.GetProperty("attributes");
            }

            var all = (await api.Get($"/v1/{collection}?limit=100&sort=created_at")).Is(200).List.Select(record => record.GetProperty("attributes")).ToList();
            foreach (var query in each.queries)
            {
                var text = string.Join('&', query.Select(f => f.ToString()));
                var expected = all.Where(attributes => query.All(f => f.Holds(attributes, linked))).Select(attributes => attributes.GetRawText()).ToList();
                var found = (await api.Get($"/v1/{collection}?limit=100&sort=created_at&{text}")).Is(200).List.Select(
                    record => record.GetProperty("attributes").GetRawText()).ToList();
                Assert.True(expected.SequenceEqual(found),
                    $"{Uri.UnescapeDataString(text)}\nnot found:\n{string.Join('\n', expected.Except(found))}\nfound, but should not be:\n"
                        + $"{string.Join('\n', found.Except(expected))}");
            }
        },
        tests: 8);

    private static Gen<Filter> On(string name, FieldKind kind, string?[] operators, string[] values) =>
        from op in Gen.Elements(operators)
        from value in op is "exists"
            ? Gen.Elements("true", "false")
            : op is "in" ? Gen.Elements(values).Two().Select(pair => $"{pair.Item1},{pair.Item2}") : Gen.Elements(values)
        select new Filter(name, op, value, kind);

    private static Gen<string?> Maybe(string name, Gen<string> value) =>
        Gen.Frequency((1, Gen.Constant<string?>(null)), (3, value.Select(json => (string?)$"\"{name}\":{json}")));

    private static string Object(params string?[] members) => $"{{{string.Join(',', members.Where(member => member is not null))}}}";

    private static string Quoted(string text) => JsonSerializer.Serialize(text);
}
