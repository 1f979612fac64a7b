using NodeStash.Contract.Tests.Running;

namespace NodeStash.Contract.Tests;

/// <summary>The API's contract, Common rules: lists, cursors, sorts and filters.</summary>
public sealed class ListTests(Deployment deployment) : ContractTests(deployment)
{
    [Fact]
    public async Task A_limit_is_1_to_100_and_20_by_default_25_for_activities()
    {
        await Task.WhenAll(Enumerable.Range(0, 26).Select(_ => Contact(new { source = Unique })));
        var owner = NoOne("usr_");
        var company = await Company();
        await Task.WhenAll(Enumerable.Range(0, 26).Select(_ => Create("activities", new { type = "note", company_id = company.Id })));

        Assert.Equal(20, (await Api.Get($"contacts?source={Unique}")).Is(200).List.Count);
        Assert.Equal(25, (await Api.Get($"activities?company_id={company.Id}")).Is(200).List.Count);
        Assert.Single((await Api.Get($"contacts?source={Unique}&limit=1")).Is(200).List);
        Assert.Equal(26, (await Api.Get($"contacts?source={Unique}&limit=100")).Is(200).List.Count);
        Assert.Empty((await Api.Get($"activities?owner_id={owner}")).Is(200).List);
        foreach (var limit in new[] { "0", "101", "-1", "1.5" }) (await Api.Get($"contacts?limit={limit}")).IsInvalid("limit");
    }

    [Fact]
    public async Task The_default_sort_is_newest_first_and_within_a_second_ids_keep_the_order_of_creation()
    {
        var made = new List<string>();
        for (var i = 0; i < 5; i++) made.Add((await Contact(new { source = Unique })).Id);

        Assert.Equal(Enumerable.Reverse(made), (await Api.Get($"contacts?source={Unique}")).Is(200).Ids);
        Assert.Equal(made, (await Api.Get($"contacts?source={Unique}&sort=created_at")).Is(200).Ids);
    }

    [Fact]
    public async Task Sort_is_a_comma_list_with_a_minus_for_descending_ties_broken_by_id()
    {
        foreach (var (first,
            last) in new[] { ("b", "1"), ("a", "1"), ("a", "2"), ("a", "1") }) await Contact(new { first_name = first, last_name = last, source = Unique });
        async Task<string> Names(string sort) =>
            string.Join(' ',
                (await Api.Get($"contacts?source={Unique}&sort={sort}")).Is(200).List.Select(
                    c => (string)c["attributes"]!["first_name"]! + (string)c["attributes"]!["last_name"]!));

        Assert.Equal("a1 a1 a2 b1", await Names("first_name,last_name"));
        Assert.Equal("b1 a1 a1 a2", await Names("-first_name,last_name"));
        Assert.Equal("a2 a1 a1 b1", await Names("first_name,-last_name"));
        var tied = (await Api.Get($"contacts?source={Unique}&sort=first_name,last_name")).Ids;
        Assert.True(string.CompareOrdinal(tied[0], tied[1]) < 0);
    }

    [Fact]
    public async Task Text_sorts_by_its_case_folded_form_nulls_first_ascending_and_last_descending()
    {
        foreach (var name in new[] { "b", null, "A", "C" }) await Contact(new { first_name = name, source = Unique });
        async Task<string> Names(string sort) =>
            string.Join(' ', (await Api.Get($"contacts?source={Unique}&sort={sort}")).Is(200).List.Select(c => (string?)c["attributes"]!["first_name"] ?? "-"));

        Assert.Equal("- A b C", await Names("first_name"));
        Assert.Equal("C b A -", await Names("-first_name"));
    }

    [Fact]
    public async Task A_cursor_is_bound_to_its_sort_and_filters()
    {
        for (var i = 0; i < 2; i++) await Contact(new { source = Unique });
        var cursor = (await Api.Get($"contacts?source={Unique}&limit=1")).NextCursor;

        (await Api.Get($"contacts?source={Unique}&cursor={cursor}")).Is(200);
        (await Api.Get($"contacts?source={Unique}&sort=email&cursor={cursor}")).IsInvalid("cursor");
        (await Api.Get($"contacts?source={Unique}x&cursor={cursor}")).IsInvalid("cursor");
        (await Api.Get($"companies?cursor={cursor}")).IsInvalid("cursor");
    }

    [Theory]
    [InlineData("created_at")]
    [InlineData("-created_at")]
    [InlineData("first_name")]
    [InlineData("-first_name,email")]
    public async Task A_cursor_never_skips_or_repeats_a_row_that_was_not_itself_changed_under_concurrent_writes(string sort)
    {
        var stays = (await Task.WhenAll(
            Enumerable.Range(0, 12).Select(i => Contact(new { source = Unique, first_name = i % 5 == 0 ? null : $"n{i % 3}" })))).Select(c => c.Id).ToList();
        var goes = (await Task.WhenAll(Enumerable.Range(0, 6).Select(i => Contact(new { source = Unique, first_name = $"n{i % 3}" })))).Select(c => c.Id)
            .ToList();

        var seen = new List<string>();
        var page = (await Api.Get($"contacts?source={Unique}&sort={sort}&limit=3")).Is(200);
        for (var round = 0; ; round++)
        {
            seen.AddRange(page.Ids);
            if (page.NextCursor is not { } cursor) break;
            if (round < goes.Count)
            {
                await Contact(new { source = Unique, first_name = $"n{round % 4}" });
                await Api.Delete($"contacts/{goes[round]}");
            }

            page = (await Api.Get($"contacts?source={Unique}&sort={sort}&limit=3&cursor={cursor}")).Is(200);
        }

        Assert.Equal(stays.Order(StringComparer.Ordinal), seen.Where(stays.Contains).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Every_filterable_field_takes_every_operator()
    {
        foreach (var (name,
            score) in new[] { ("Ann", 1), ("Bob", 2),
                ("Bobby", 3) }) await Contact(new { first_name = name, source = Unique, custom_fields = new { lead_score = score } });
        await Contact(new { source = Unique });
        async Task<string> Found(string filter) =>
            string.Join(' ',
                (await Api.Get($"contacts?source={Unique}&sort=first_name&{filter}")).Is(200).List.Select(c => (string?)c["attributes"]!["first_name"] ?? "-"));

        Assert.Equal("Bob", await Found("first_name[eq]=bob"));
        Assert.Equal("- Ann Bobby", await Found("first_name[neq]=bob"));
        Assert.Equal("Bobby", await Found("first_name[gt]=Bob"));
        Assert.Equal("Bob Bobby", await Found("first_name[gte]=Bob"));
        Assert.Equal("Ann", await Found("first_name[lt]=Bob"));
        Assert.Equal("Ann Bob", await Found("first_name[lte]=Bob"));
        Assert.Equal("Ann Bob", await Found("first_name[in]=Ann,bob,Zoe"));
        Assert.Equal("Bob Bobby", await Found("first_name[contains]=OB"));
        Assert.Equal("Bob Bobby", await Found("first_name[starts_with]=BO"));
        Assert.Equal("Ann Bob Bobby", await Found("first_name[exists]=true"));
        Assert.Equal("-", await Found("first_name[exists]=false"));
        Assert.Equal("Bob Bobby", await Found("custom_fields[lead_score][gte]=2"));
        (await Api.Get("contacts?first_name[like]=x")).IsInvalid("first_name[like]");
    }

    [Fact]
    public async Task Dates_in_filters_are_ISO()
    {
        var deal = await Deal(new { title = "Licence", tags = new[] { Unique }, expected_close_date = "2026-03-01" });

        Assert.Equal([deal.Id], (await Api.Get($"deals?tags={Unique}&expected_close_date[gte]=2026-03-01&expected_close_date[lt]=2026-03-02")).Is(200).Ids);
        Assert.Empty((await Api.Get($"deals?tags={Unique}&expected_close_date[gt]=2026-03-01")).Is(200).List);
        (await Api.Get("deals?expected_close_date[gt]=1.3.2026")).IsInvalid("expected_close_date[gt]");
    }

    [Fact]
    public async Task A_filter_sees_times_as_a_client_sees_them()
    {
        var contact = await Contact(new { source = Unique });
        var at = (string)contact.Attributes["created_at"]!;

        Assert.Equal([contact.Id], (await Api.Get($"contacts?source={Unique}&created_at[gte]={at}&created_at[lte]={at}")).Is(200).Ids);
        Assert.Equal([contact.Id], (await Api.Get($"contacts?source={Unique}&created_at[eq]={at}")).Is(200).Ids);
        Assert.Empty((await Api.Get($"contacts?source={Unique}&created_at[gt]={at}")).Is(200).List);
    }

    [Fact]
    public async Task Custom_fields_filter_without_an_operator_too()
    {
        var contact = await Contact(new { source = Unique, custom_fields = new { plan = "pro" } });
        await Contact(new { source = Unique, custom_fields = new { plan = "free" } });

        Assert.Equal([contact.Id], (await Api.Get($"contacts?source={Unique}&custom_fields[plan]=pro")).Is(200).Ids);
    }

    [Fact]
    public async Task A_filter_goes_through_a_relation_on_contacts_and_deals()
    {
        var company = await Create("companies", new { name = $"Acme {Unique}", industry = $"Technology {Unique}" });
        var (contact, deal) = (await Contact(new { company_id = company.Id }), await Deal(new { title = "Licence", company_id = company.Id }));
        await Contact();

        Assert.Equal([contact.Id], (await Api.Get($"contacts?company.industry={Unique}")).Is(200).Ids);
        Assert.Equal([deal.Id], (await Api.Get($"deals?company.industry[contains]={Unique}")).Is(200).Ids);
        Assert.Empty((await Api.Get($"contacts?company.industry={Unique}&company.name=nobody")).Is(200).List);
    }

    [Fact]
    public async Task A_filter_on_a_slug_that_is_neither_defined_nor_stored_anywhere_finds_nothing() =>
        Assert.Empty((await Api.Get($"contacts?custom_fields[{Unique}]=x")).Is(200).List);

    [Fact]
    public async Task Paging_to_the_end_shows_everything_once()
    {
        var made = (await Task.WhenAll(Enumerable.Range(0, 11).Select(_ => Contact(new { source = Unique })))).Select(c => c.Id);

        var pages = await Api.Pages($"contacts?source={Unique}&limit=4");

        Assert.Equal([4, 4, 3], pages.Select(p => p.List.Count));
        Assert.Equal(made.Order(StringComparer.Ordinal), pages.SelectMany(p => p.Ids).Order(StringComparer.Ordinal));
    }
}
