using FsCheck.Fluent;
using NodeStash.Core.Records;
using NodeStash.Core.Search;

namespace NodeStash.Support.Contracts.Search;

public abstract partial class SearchIndexContract
{
    /// <summary>What means something to SQL, FTS5, Meilisearch, JSON or a terminal.</summary>
    private static readonly string[] Fragments =
    [
        "\"", "'", "\"\"", "*", "^", "(", ")", "{name}:", "name:", "AND", "OR", "NOT", "NEAR(jane smith)", "-", "+", ":", ";", "--", "/*", "\\", "\0", "\u0001",
        "\u001B[2J", "\r\n", "%", "_", "?1",
        "jane", "smith", "ja", "7_jane", "1~jan", "1=jane", "_", "=", "~", "workspace = ws_1", "\" OR partition != \"", "' OR 1=1 --", "\uD800", "😀", "\u0301",
        "\u202E", "İ", "ﬃ", "{\"a\":1}", "[]", ".", "@", "a@b", "+49 (0)30", "00000",
    ];

    [Fact]
    public Task Whatever_is_searched_for_is_plain_text_and_finds_nothing_of_another_data_set() => Property.Holds(
        from fragments in Gen.ArrayOf(Gen.Elements(Fragments), 6)
        from glue in Gen.Elements("", " ")
        select string.Join(glue, fragments),
        async text =>
        {
            var (index, other) = (NewIndex(), NewIndex());
            await Write(index, Person("ct_1", "Jane", "Smith"));
            await Write(other, Person("ct_2", "Jane", "Smith"), With("ct_3", Searchable.Address, "a@b.example"));

            var hits = (await Find(index, text)).Hits;

            Assert.True(hits.All(hit => hit.Id == "ct_1"), text);
            Assert.Equal(hits.Count, (await index.Count([Contact], text, CancellationToken.None))[Contact]);
        });

    [Fact]
    public Task Whatever_a_record_holds_it_is_found_by_its_own_words() => Property.Holds(
        from fragments in Gen.ArrayOf(Gen.Elements(Fragments), 5)
        from form in Gen.Elements(Searchable.Name, Searchable.Detail, Searchable.Body, Searchable.Address, Searchable.Phone)
        select (string.Join(" ", fragments), form),
        async given =>
        {
            var index = NewIndex();
            await Write(index, new SearchChange(Contact, "ct_1", 1, [new("a", given.form, given.Item1), new("b", Searchable.Name, "Unmistakable")]));

            Assert.Equal(["ct_1"], await Ids(index, "unmistakable"));
            if (given.form is not Searchable.Phone)
                Assert.All(Words.Of(given.Item1), word => Assert.Equal(["ct_1"], Ids(index, word.Text).GetAwaiter().GetResult()));
        });

    [Fact]
    public async Task The_longest_text_is_searched_and_text_without_a_word_finds_nothing()
    {
        var index = NewIndex();
        await Write(index, Person("ct_1", "Jane", "Smith"));

        Assert.Equal(["ct_1"], await Ids(index, string.Concat(Enumerable.Repeat("jane ", 102))));
        Assert.Empty(await Ids(index, new string('a', ISearchIndex.MaxTextLength)));
        Assert.Empty(await Ids(index, string.Concat(Enumerable.Range(0, 128).Select(i => $"w{i} "))[..ISearchIndex.MaxTextLength]));
        Assert.Empty(await Ids(index, "?! …"));
        Assert.Empty(await Ids(index, ""));
    }
}
