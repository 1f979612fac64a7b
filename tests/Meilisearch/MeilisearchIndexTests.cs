using System.Diagnostics;
using System.Text.Json;
using FsCheck.Fluent;
using Meilisearch.QueryParameters;
using NodeStash.Azure.Meilisearch;
using NodeStash.Core.Records;
using NodeStash.Core.Search;
using NodeStash.Core.Storage;
using NodeStash.Support;
using NodeStash.Support.Clocks;
using NodeStash.Support.Contracts.Search;
using SearchQuery = NodeStash.Core.Search.SearchQuery;

namespace NodeStash.Meilisearch.Tests;

public sealed class MeilisearchIndexTests(SearchServerProcess server) : SearchIndexContract, IClassFixture<SearchServerProcess>, IDisposable
{
    private static readonly string[] Fragments = [
        "\"", "\\", "'", "]", " OR ", "key EXISTS", "\n", "ct_1", "CT_1", "😀", "\u0001", "IN [", "NOT ", "(", "_geoRadius(1,1,1)"];

    private readonly SettableClock clock = new(new DateTimeOffset(2026, 1, 15, 10, 30, 0, TimeSpan.Zero));
    private readonly List<MeilisearchIndexes> opened = [];

    protected override ISearchIndexes Indexes => opened.Count > 0 ? opened[0] : Open();

    [Fact]
    public Task Whatever_an_id_or_a_type_is_made_of_it_is_found_and_nothing_else() => Property.Holds(
        from id in Gen.ArrayOf(Gen.Elements(Fragments), 3)
        from type in Gen.ArrayOf(Gen.Elements(Fragments), 2)
        select (Id: string.Concat(id), Type: string.Concat(type)),
        async given =>
        {
            var index = Indexes.Open(new Partition("ws_" + given.Id, WorkspaceEnvironment.Live));
            await index.Write(
                [Jane("other", given.Type), Jane("\"" + given.Id, given.Type), Jane(given.Id, "other"), Jane(given.Id, given.Type)], CancellationToken.None);

            var page = await index.Find(new SearchQuery([given.Type], "jane", 10, Among: [given.Id]), CancellationToken.None);

            Assert.Equal((given.Type, given.Id), page.Hits.Select(hit => (hit.Type, hit.Id)).Single());
        },
        tests: 25);

    [Theory]
    [InlineData("m")]
    [InlineData("ma")]
    [InlineData("mb")]
    [InlineData("4")]
    [InlineData("jane m")]
    public async Task A_beginning_finds_all_however_many_words_begin_so(string text)
    {
        var (index, letters) =
            (Indexes.Open(new Partition("ws_beginnings", WorkspaceEnvironment.Live)), Enumerable.Range('a', 26).Select(letter => (char)letter).ToList());
        var names = (from first in letters from second in letters select $"m{first}{second}").Append("42")
            .Concat(from first in letters from second in letters select $"mz{first}{second}").ToList();
        await index.Write(
            [.. names.Select(
                (name, i) =>
                    new SearchChange("contact", $"ct_{i:0000}", 1, [new("first_name", Searchable.Name, "Jane"), new("last_name", Searchable.Name, name)]))],
                    CancellationToken.None);

        Assert.Equal(names.Count(name => name.StartsWith(text[^Math.Min(2, text.Length)..].TrimStart(), StringComparison.Ordinal)),
            (await index.Count(["contact"], text, CancellationToken.None))["contact"]);
    }

    [Theory]
    [InlineData("smit")]
    [InlineData("smith")]
    [InlineData("smith8")]
    [InlineData("smith83@exam")]
    [InlineData("mit")]
    [InlineData("th83")]
    public async Task A_word_with_digits_is_found_by_its_letters_too(string text)
    {
        var index = Indexes.Open(New());
        await index.Write(
            [new SearchChange("contact", "ct_1", 1, [new("email", Searchable.Address, "smith83@example.com")]), Jane("ct_2")], CancellationToken.None);

        Assert.Equal(["ct_1"], (await index.Find(new SearchQuery(["contact"], text, 10), CancellationToken.None)).Hits.Select(hit => hit.Id));
    }

    [Fact]
    public async Task Of_many_who_write_at_once_the_highest_version_counts()
    {
        var index = Indexes.Open(New());

        await Task.WhenAll(Enumerable.Range(1, 12).Select(version => index.Write([Jane("ct_1", version: version)], CancellationToken.None).AsTask()));

        Assert.Equal(12, Assert.Single((await index.Find(new SearchQuery(["contact"], "jane", 10), CancellationToken.None)).Hits).Version);
    }

    [Fact]
    public async Task What_was_removed_leaves_no_word_in_the_index_and_in_the_end_nothing()
    {
        var partition = New();
        var index = Indexes.Open(partition);
        await index.Write([Jane("ct_1"), Jane("ct_2")], CancellationToken.None);
        await index.Write([SearchChange.Removal("contact", "ct_1", 2)], CancellationToken.None);

        var removed = (await Documents(partition)).Single(document => document.GetProperty("id").GetString() == "ct_1");
        Assert.DoesNotContain("jane", removed.GetRawText(), StringComparison.OrdinalIgnoreCase);

        clock.Now += TimeSpan.FromDays(31);
        await index.Write([Jane("ct_3")], CancellationToken.None);
        Assert.Equal(["ct_2", "ct_3"], (await Documents(partition)).Select(document => document.GetProperty("id").GetString()).Order());
    }

    [Fact]
    public async Task A_build_that_is_searched_no_more_leaves_nothing_in_the_index()
    {
        var partition = New();
        var index = Indexes.Open(partition);
        await index.Write([Jane("ct_1"), Jane("ct_2")], CancellationToken.None);
        await index.BeginRebuild("abandoned", CancellationToken.None);
        await index.Fill("abandoned", [Jane("ct_1")], CancellationToken.None);
        await index.BeginRebuild("one", CancellationToken.None);
        await index.Fill("one", [Jane("ct_2")], CancellationToken.None);
        await index.EndRebuild("one", CancellationToken.None);

        Assert.Equal(["ct_2"], (await Documents(partition)).Select(document => document.GetProperty("id").GetString()));
    }

    [Fact]
    public async Task The_words_of_one_data_set_are_not_those_of_another()
    {
        var (ours, others) = (New(), New());
        foreach (var partition in new[] { ours, others }) await Indexes.Open(partition).Write([Jane("ct_1")], CancellationToken.None);

        Assert.NotEqual((await Documents(ours)).Single().GetProperty("name").GetString(), (await Documents(others)).Single().GetProperty("name").GetString());
    }

    [Fact]
    public async Task The_clients_of_the_server_read_what_was_written()
    {
        var partition = New();
        await Indexes.Open(partition)
            .Write([new SearchChange("contact", "ct_read_by_others", 7, [new SearchField("first_name", Searchable.Name, "Zoë")])], CancellationToken.None);

        using var node = Process.Start(
            new ProcessStartInfo("node",
                [Path.Combine(SearchServerProcess.Folder, "read.js"), server.Url, SearchServerProcess.Key, "ct_read_by_others"])
            {
                RedirectStandardOutput =
                    true
            })!;
        var read = JsonDocument.Parse(await node.StandardOutput.ReadToEndAsync()).RootElement;

        Assert.Equal("ct_read_by_others", Assert.Single(read.GetProperty("found").EnumerateArray()).GetString());
        Assert.Equal(
            (7, partition.Key, 4), (read.GetProperty("version").GetInt32(), read.GetProperty("partition").GetString(), read.GetProperty("letters").GetInt32()));
    }

    public void Dispose() => opened.ForEach(each => each.Dispose());

    internal static SearchChange Jane(string id, string type = "contact", long version = 1) =>
        new(type, id, version, [new("first_name", Searchable.Name, "Jane")]);

    private static Partition New() => new($"ws_{Guid.CreateVersion7():N}", WorkspaceEnvironment.Live);

    private MeilisearchIndexes Open()
    {
        opened.Add(new MeilisearchIndexes(server.Url, SearchServerProcess.Key, clock));
        return opened[^1];
    }

    private async Task<List<JsonElement>> Documents(Partition partition) =>
        [.. (await server.Client.Index("nodestash-records").GetDocumentsAsync<JsonElement>(new DocumentsQuery { Limit = 100_000 })).Results.Where(
            document => document.GetProperty("partition").GetString() == partition.Key)];
}
