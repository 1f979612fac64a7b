using FsCheck.Fluent;
using NodeStash.Core.Records;
using NodeStash.Core.Search;
using NodeStash.Core.Storage;

namespace NodeStash.Support.Contracts.Search;

public abstract partial class SearchIndexContract
{
    [Fact]
    public async Task A_data_set_shows_nothing_of_another_through_any_member()
    {
        var workspace = "ws_" + Interlocked.Increment(ref partitions);
        var owner = Indexes.Open(new Partition(workspace, WorkspaceEnvironment.Live));
        await Write(owner, Person("ct_1", "Jane", "Smith"));

        foreach (var other in new[] { Indexes.Open(new Partition(workspace, WorkspaceEnvironment.Test)), NewIndex() })
        {
            Assert.Empty(await Ids(other, "jane smith"));
            await Write(other, With("ct_2", Searchable.Name, "Other"));
            Assert.Empty(await Ids(other, "jane smiht"));
            Assert.Empty((await other.Find(new SearchQuery([Contact], "jane", 10, Among: ["ct_1"]), CancellationToken.None)).Hits);
            Assert.Equal(0, (await other.Count([Contact], "jane", CancellationToken.None))[Contact]);
            await Write(other, SearchChange.Removal(Contact, "ct_1", 9));
            await other.BeginRebuild("rebuild", CancellationToken.None);
            await other.EndRebuild("rebuild", CancellationToken.None);
        }

        await Visible();
        Assert.Equal(["ct_1"], await Ids(owner, "jane"));
    }

    [Fact]
    public async Task The_newest_version_is_found_and_no_other()
    {
        var index = NewIndex();
        await Write(index, Person("ct_1", "Jane", "Smith"));
        await Write(index, Person("ct_1", "Alice", "Kelly", version: 2));

        Assert.Empty(await Ids(index, "jane"));
        Assert.Equal(2, Assert.Single((await Find(index, "alice")).Hits).Version);
    }

    [Fact]
    public async Task An_older_version_that_comes_late_changes_nothing()
    {
        var index = NewIndex();
        await Write(index, Person("ct_1", "Alice", "Kelly", version: 2));
        await Write(index, Person("ct_1", "Jane", "Smith"));

        Assert.Empty(await Ids(index, "jane"));
        Assert.Equal(["ct_1"], await Ids(index, "alice"));
    }

    [Fact]
    public async Task What_was_removed_stays_removed_though_an_older_version_comes_late()
    {
        var index = NewIndex();
        await Write(index, Person("ct_1", "Jane", "Smith"), SearchChange.Removal(Contact, "ct_1", 3));
        await Write(index, Person("ct_1", "Jane", "Smith", version: 2), SearchChange.Removal(Contact, "ct_2", 2), Person("ct_2", "Jane", "Smith"));

        Assert.Empty(await Ids(index, "jane"));
    }

    [Fact]
    public Task Whatever_order_changes_come_in_and_however_often_the_highest_version_counts() => Property.Holds(
        Gen.ArrayOf(
            from id in Gen.Choose(1, 3)
            from version in Gen.Choose(1, 6)
            from batch in Gen.Elements(true, false)
            select (id, version, batch),
            20),
        async steps =>
        {
            // Odd versions are records, even ones removals.
            var (index, batch) = (NewIndex(), new List<SearchChange>());
            foreach (var (id, version, ends) in steps)
            {
                batch.Add(version % 2 == 0
                    ? SearchChange.Removal(Contact, $"ct_{id}", version)
                    : Person($"ct_{id}", "Jane", $"Number{(char)('a' + version)}", version));
                if (!ends) continue;
                await Write(index, [.. batch]);
                batch.Clear();
            }

            await Write(index, [.. batch]);
            var newest = steps.GroupBy(step => step.id).Select(group => (Id: $"ct_{group.Key}", Version: group.Max(step => step.version)))
                .Where(last => last.Version % 2 == 1);
            Assert.Equal(newest.Order(), (await Find(index, "jane")).Hits.Select(hit => (hit.Id, (int)hit.Version)).Order());
        },
        tests: 40);

    [Fact]
    public async Task A_rebuild_is_searched_once_it_has_ended_and_has_what_was_written_meanwhile()
    {
        var index = NewIndex();
        await Write(index, Person("ct_1", "Jane", "Old"), Person("ct_2", "Jane", "Gone"));

        await index.BeginRebuild("one", CancellationToken.None);
        Assert.True(await index.Fill("one", [Person("ct_1", "Jane", "New")], CancellationToken.None));
        await Write(index, Person("ct_3", "Jane", "Meanwhile"), Person("ct_1", "Jane", "Newest", version: 2));
        Assert.True(await index.Fill("one", [Person("ct_1", "Jane", "New")], CancellationToken.None));
        await Visible();
        Assert.Equal(["ct_1", "ct_2", "ct_3"], (await Ids(index, "jane")).Order());

        await index.EndRebuild("one", CancellationToken.None);
        await index.EndRebuild("one", CancellationToken.None);
        await Visible();

        Assert.Equal(["ct_1", "ct_3"], (await Ids(index, "jane")).Order());
        Assert.Equal(["ct_1"], await Ids(index, "newest"));
        await Write(index, Person("ct_4", "Jane", "After"));
        Assert.Equal(3, (await Ids(index, "jane")).Count);
    }

    [Fact]
    public async Task A_rebuild_that_another_took_the_place_of_changes_nothing_any_more()
    {
        var index = NewIndex();
        await Write(index, Person("ct_1", "Jane", "Smith"));
        await index.BeginRebuild("one", CancellationToken.None);
        await index.BeginRebuild("two", CancellationToken.None);

        Assert.False(await index.Fill("one", [Person("ct_2", "Jane", "Smith")], CancellationToken.None));
        await index.EndRebuild("one", CancellationToken.None);
        await Visible();
        Assert.Equal(["ct_1"], await Ids(index, "jane"));

        await index.Fill("two", [Person("ct_3", "Jane", "Smith")], CancellationToken.None);
        await index.EndRebuild("two", CancellationToken.None);
        await Visible();
        Assert.Equal(["ct_3"], await Ids(index, "jane"));
    }

    [Fact]
    public async Task While_the_first_build_is_under_way_searches_are_refused_rather_than_answered_in_part()
    {
        var index = NewIndex();
        await index.BeginRebuild("first", CancellationToken.None);
        await index.Fill("first", [Person("ct_1", "Jane", "Smith")], CancellationToken.None);

        await Assert.ThrowsAsync<SearchUnavailableException>(() => Ids(index, "jane"));
        await index.EndRebuild("first", CancellationToken.None);
        await Visible();

        Assert.Equal(["ct_1"], await Ids(index, "jane"));
    }

    [Fact]
    public async Task Those_who_search_while_others_write_see_whole_records()
    {
        var index = NewIndex();
        await Write(index, Person("ct_1", "Jane", "Smith"));
        var options = Task.Run(async () =>
        {
            for (var version = 2; version < 60; version++) await index.Write(
                [version % 2 == 0 ? Person("ct_1", "Alice", "Kelly", version) : Person("ct_1", "Jane", "Smith", version)], CancellationToken.None);
        });

        while (!options.IsCompleted)
        {
            Assert.Empty(await Ids(index, "jane kelly"));
            Assert.Empty(await Ids(index, "alice smith"));
        }

        await options;
        await Visible();
        Assert.Equal(["ct_1"], await Ids(index, "jane smith"));
    }
}
