using FsCheck.Fluent;
using NodeStash.Core.Records;
using NodeStash.Core.Search;

namespace NodeStash.Support.Contracts.Search;

public abstract partial class SearchIndexContract
{
    [Theory]
    [InlineData("jane")]
    [InlineData("JANE")]
    [InlineData("Jane Smith")]
    [InlineData("smith jane")]
    [InlineData("  jane\tsmith ")]
    [InlineData("ja")]
    [InlineData("smith, ja")]
    [InlineData("jnae")]
    [InlineData("jan")]
    [InlineData("jame")]
    [InlineData("jane smiht")]
    [InlineData("smyth jame")]
    public async Task A_person_is_found_by_words_in_any_order_begun_or_mistyped(string text)
    {
        var index = NewIndex();
        await Write(index, Person("ct_1", "Jane", "Smith"), Person("ct_2", "Bob", "Kelly"));

        Assert.Equal(["ct_1"], await Ids(index, text));
    }

    [Theory]
    [InlineData("jane kelly")]
    [InlineData("jxyz")]
    [InlineData("ane")]
    [InlineData("bbo")]
    [InlineData("smixxh")]
    public async Task What_lacks_a_word_or_is_too_far_off_is_not_found(string text)
    {
        var index = NewIndex();
        await Write(index, Person("ct_1", "Jane", "Smith"), Person("ct_2", "Bob", "Kelly"));

        Assert.Empty(await Ids(index, text));
    }

    [Theory]
    [InlineData("Zoë", "zoe")]
    [InlineData("zoe", "ZOË")]
    [InlineData("Zoe\u0308", "zoe")]
    [InlineData("Łukasz", "lukasz")]
    [InlineData("Straße", "strasse")]
    [InlineData("Søren", "soren")]
    [InlineData("Æbele", "aebele")]
    [InlineData("O'Brien", "obrien")]
    [InlineData("OBrien", "o’brien")]
    [InlineData("Smith-Jones", "jones")]
    [InlineData("Jones", "smith-jones")]
    [InlineData("Юрий", "юрии")]
    [InlineData("Ωμέγα", "ωμεγα")]
    [InlineData("東京商事", "東京")]
    [InlineData("أحمد", "أحمد")]
    public async Task Case_diacritics_and_apostrophes_make_no_difference(string stored, string text)
    {
        var index = NewIndex();
        await Write(index, With("ct_1", Searchable.Name, stored + (text.Contains('-', StringComparison.Ordinal) ? " Smith" : "")));

        Assert.Equal(["ct_1"], await Ids(index, text));
    }

    [Theory]
    [InlineData("jane.smith@example.com")]
    [InlineData("JANE.SMITH@EXAMPLE.COM")]
    [InlineData("jane")]
    [InlineData("example.com")]
    [InlineData("example")]
    [InlineData("ample.co")]
    [InlineData("mith@ex")]
    [InlineData("amp")]
    [InlineData("jane.smith@exmaple.com")]
    public async Task An_address_is_found_by_any_part_of_it(string text)
    {
        var index = NewIndex();
        await Write(index, With("ct_1", Searchable.Address, "Jane.Smith@example.com"), With("ct_2", Searchable.Address, "bob@other.org"));

        Assert.Equal("ct_1", (await Ids(index, text))[0]);
    }

    [Theory]
    [InlineData("+1 (555) 010-0199")]
    [InlineData("15550100199")]
    [InlineData("555 010 0199")]
    [InlineData("555.010.0199")]
    [InlineData("0100199")]
    [InlineData("001 555 010 0199")]
    [InlineData("0 555 0100199")]
    [InlineData("010-01")]
    public async Task A_phone_number_is_found_however_it_is_written(string text)
    {
        var index = NewIndex();
        await Write(index, With("ct_1", Searchable.Phone, "+1-555-010-0199"), With("ct_2", Searchable.Phone, "+1 555 0200"));

        Assert.Equal(["ct_1"], await Ids(index, text));
    }

    [Fact]
    public async Task A_short_word_allows_no_edit_one_of_four_one_and_one_of_eight_two()
    {
        var index = NewIndex();
        await Write(index, With("ct_3", Searchable.Name, "bob"), With("ct_4", Searchable.Name, "jane"), With("ct_7", Searchable.Name, "charles"),
            With("ct_8", Searchable.Name, "margaret"));

        Assert.Empty(await Ids(index, "bop"));
        Assert.Equal(["ct_4"], await Ids(index, "jame"));
        Assert.Empty(await Ids(index, "jamme"));
        Assert.Equal(["ct_7"], await Ids(index, "carles"));
        Assert.Empty(await Ids(index, "krarles"));
        Assert.Equal(["ct_8"], await Ids(index, "mxrgaxet"));
        Assert.Equal(["ct_8"], await Ids(index, "amrgarte"));
        Assert.Empty(await Ids(index, "mxrxaxet"));
    }

    [Fact]
    public async Task A_number_is_never_mistyped()
    {
        var index = NewIndex();
        await Write(index, With("ct_1", Searchable.Name, "Invoice 20261"));

        Assert.Equal(["ct_1"], await Ids(index, "invoice 20261"));
        Assert.Empty(await Ids(index, "invoice 20262"));
    }

    [Fact]
    public async Task As_it_is_comes_before_begun_and_begun_before_mistyped()
    {
        var index = NewIndex();
        await Write(index, With("ct_mistyped", Searchable.Name, "Mariy"), With("ct_exact", Searchable.Name, "Maria"),
            With("ct_begun", Searchable.Name, "Mariana"));

        Assert.Equal(["ct_exact", "ct_begun", "ct_mistyped"], await Ids(index, "maria"));
    }

    [Fact]
    public async Task Names_come_before_details_and_details_before_bodies()
    {
        var index = NewIndex();
        await Write(index, With("ct_body", Searchable.Body, "maria"), With("ct_name", Searchable.Name, "Maria"), With("ct_detail", Searchable.Detail, "Maria"));

        Assert.Equal(["ct_name", "ct_detail", "ct_body"], await Ids(index, "maria"));
    }

    [Fact]
    public async Task Of_several_words_fewer_mistyped_letters_come_first()
    {
        var index = NewIndex();
        await Write(index, Person("ct_none", "Jane", "Smith"), Person("ct_both", "Jana", "Smitt"), Person("ct_one", "Jane", "Smitt"));

        Assert.Equal(["ct_none", "ct_one", "ct_both"], await Ids(index, "jane smith"));
    }

    [Fact]
    public async Task Of_equal_hits_the_newest_comes_first()
    {
        var index = NewIndex();
        await Write(index, Person("ct_1", "Jane", "Smith"), Person("ct_2", "Jane", "Smith"));
        await Write(index, Person("ct_3", "Jane", "Smith"));
        await Write(index, Person("ct_1", "Jane", "Smith", version: 2));

        Assert.Equal(["ct_3", "ct_2", "ct_1"], await Ids(index, "jane"));
    }

    [Fact]
    public async Task Types_are_searched_together_and_counted_apart()
    {
        var index = NewIndex();
        await Write(
            index, With("ct_1", Searchable.Name, "Acme"), With("co_1", Searchable.Name, "Acme", type: Company),
            With("act_1", Searchable.Body, "Acme", type: Activity),
            With("act_2", Searchable.Name, "Acmes", type: Activity));

        Assert.Equal(["co_1", "ct_1", "act_1", "act_2"], await Ids(index, "acme", Company, Contact, Activity));
        Assert.Equal(["act_1", "act_2"], await Ids(index, "acme", Activity));
        Assert.Equal(
            [(Activity, 2), (Company, 1), ("deal", 0)],
            (await index.Count([Activity, Company, "deal"], "acme", CancellationToken.None)).Select(count => (count.Key, count.Value)).Order());
    }

    [Fact]
    public async Task Only_those_asked_for_are_found()
    {
        var index = NewIndex();
        await Write(index, [.. Enumerable.Range(1, 9).Select(i => Person($"ct_{i}", i < 5 ? "Jane" : "Jame", "Smith"))]);

        var page = await index.Find(new SearchQuery([Contact], "jane smith", 10, Among: ["ct_2", "ct_7", "ct_none"]), CancellationToken.None);

        Assert.Equal(["ct_2", "ct_7"], page.Hits.Select(hit => hit.Id));
    }

    [Fact]
    public Task Pages_of_any_size_show_each_hit_once_in_the_order_of_one_page() => Property.Holds(
        from texts in Gen.ArrayOf(Gen.Elements("maria", "mariana", "mario", "mara", "maria smith", "smith", "x"), 25)
        from forms in Gen.ArrayOf(Gen.Elements(Searchable.Name, Searchable.Detail, Searchable.Body, Searchable.Address), 25)
        from text in Gen.Elements("maria", "mari", "smith maria", "smiht", "smiht mara", "m")
        from size in Gen.Choose(1, 6)
        select (texts, forms, text, size),
        async given =>
        {
            var index = NewIndex();
            await Write(index, [.. given.texts.Select((text, i) => With($"ct_{i:00}", given.forms[i], text, type: i % 3 == 0 ? Company : Contact))]);
            var whole = await index.Find(new SearchQuery([Contact, Company], given.text, 100), CancellationToken.None);

            var (paged, query) = (new List<SearchHit>(), new SearchQuery([Contact, Company], given.text, given.size));
            while (true)
            {
                var page = await index.Find(query, CancellationToken.None);
                paged.AddRange(page.Hits);
                if (!page.HasMore) break;
                query = query with { After = page.Hits[^1].Place };
            }

            Assert.Equal(whole.Hits, paged);
            Assert.Equal(whole.Hits.OrderBy(hit => hit.Rank), whole.Hits);
        },
        tests: 30);

    [Fact]
    public async Task Pages_skip_and_repeat_nothing_while_others_come_and_go()
    {
        var index = NewIndex();
        await Write(index, [.. Enumerable.Range(0, 30).Select(i => Person($"ct_{i:00}", i % 2 == 0 ? "Maria" : "Mariana", "Smith"))]);
        var (seen, query) = (new List<string>(), new SearchQuery([Contact], "maria", 4));
        for (var i = 0; ; i++)
        {
            var page = await index.Find(query, CancellationToken.None);
            seen.AddRange(page.Hits.Select(hit => hit.Id).Where(id => id.Length == 5));
            if (!page.HasMore) break;
            query = query with { After = page.Hits[^1].Place };
            await Write(index, Person($"ct_new{i}", "Maria", "Kelly"), SearchChange.Removal(Contact, page.Hits[^1].Id, 2));
        }

        Assert.Equal(30, seen.Count);
        Assert.Equal(30, seen.Distinct().Count());
    }
}
