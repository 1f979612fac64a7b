using FsCheck.Fluent;
using NodeStash.Core.Storage;
using Keys = System.Collections.Generic.IReadOnlyDictionary<string, object?>;

namespace NodeStash.Support.Contracts.Storage;

public abstract partial class WorkspaceStoreContract
{
    [Fact]
    public Task A_query_finds_what_its_condition_means() => Property.Holds(
        from records in Gen.ArrayOf(QueryCases.Record, 12)
        from conditions in Gen.ArrayOf(QueryCases.Where, 12)
        select (records, conditions),
        async each =>
        {
            var store = await NewStore(each.records);
            foreach (var condition in each.conditions)
            {
                var expected = Enumerable.Range(0, each.records.Length).Where(i => PlainQuery.Holds(condition, each.records[i])).Select(Id).ToList();
                Assert.Equal(expected, await Ids(store, condition));
                Assert.Equal(expected.Count, await store.Count(Contact, condition, CancellationToken.None));
            }
        },
        Cases);

    [Fact]
    public Task A_window_is_that_part_of_all_that_match() => Property.Holds(
        from records in Gen.ArrayOf(QueryCases.Record, 12)
        from condition in QueryCases.Where
        from skip in Gen.Choose(0, 13)
        from limit in Gen.Choose(1, 13)
        select (records, condition, skip, limit),
        async each =>
        {
            var store = await NewStore(each.records);
            RecordQuery query = new(
                Contact, each.condition, [new SortKey(new KeyPath("a"), Descending: true), new SortKey(new KeyPath("b"), Descending: false)], null, 100);
            var all = (await store.Query(query, CancellationToken.None)).Records.Select(record => record.Id).ToList();

            var window = await store.Query(query with { Skip = each.skip, Limit = each.limit, WithTotal = true }, CancellationToken.None);

            Assert.Equal(all.Skip(each.skip).Take(each.limit), window.Records.Select(record => record.Id));
            Assert.Equal(all.Count, window.Total);
            Assert.Equal(all.Count > each.skip + each.limit, window.Next is not null);
        },
        Cases);

    [Fact]
    public async Task A_query_that_skips_after_a_place_is_refused()
    {
        var store = await NewStore([]);
        RecordQuery query = new(Contact, Condition.Always, [new SortKey(new KeyPath("a"), Descending: false)], new Keyset([null], "ct_1"), 10) { Skip = 1 };

        await Assert.ThrowsAsync<ArgumentException>(async () => await store.Query(query, CancellationToken.None));
        await Assert.ThrowsAsync<ArgumentException>(async () => await store.Query(query with { After = null, Skip = -1 }, CancellationToken.None));
    }

    [Fact]
    public Task To_count_each_of_some_texts_is_to_count_one_after_the_other() => Property.Holds(
        from records in Gen.ArrayOf(QueryCases.Record, 12)
        from paths in Gen.ArrayOf(QueryCases.Path, 6)
        from texts in Gen.ArrayOf(QueryCases.Text, 20)
        select (records, paths, texts),
        async each =>
        {
            var store = await NewStore(each.records);
            foreach (var path in each.paths)
            {
                var expected = new Dictionary<string, long>(StringComparer.Ordinal);
                foreach (var text in each.texts)
                {
                    if (await store.Count(Contact, new Condition.Equal(path, text), CancellationToken.None) is > 0 and var count) expected[text] = count;
                }

                Assert.Equal(expected, await store.CountEach(Contact, path, each.texts, Condition.Always, CancellationToken.None));
            }
        },
        Cases);

    [Fact]
    public Task A_number_is_found_by_itself_to_the_last_bit() => Property.Holds(
        ArbMap.Default.GeneratorFor<ulong>().Zip(ArbMap.Default.GeneratorFor<ulong>())
            .Select(halves => BitConverter.UInt64BitsToDouble(halves.Item1 * 0x9E3779B97F4A7C15 ^ halves.Item2)).Where(double.IsFinite),
        async number =>
        {
            var store = await NewStore(
                [new Dictionary<string, object?> { ["a"] = number, ["custom_fields"] = new Dictionary<string, object?> { ["n"] = number } }]);
            foreach (var path in new[] { new KeyPath("a"), new KeyPath("custom_fields", "n") })
            {
                Assert.Single(await Ids(store, new Condition.Equal(path, number)));
                Assert.Single(await Ids(store, new Condition.In(path, [number])));
                Assert.Empty(await Ids(store, new Condition.Compare(path, Comparison.Less, number)));
                Assert.Empty(await Ids(store, new Condition.Compare(path, Comparison.Greater, number)));
            }
        },
        Cases);

    [Fact]
    public Task A_query_answers_in_order() => Property.Holds(
        from records in Gen.ArrayOf(QueryCases.Record, 12)
        from orders in Gen.ArrayOf(QueryCases.Order, 6)
        select (records, orders),
        async each =>
        {
            var store = await NewStore(each.records);
            foreach (var order in each.orders)
            {
                var ids = await Ids(store, Condition.Always, order);
                foreach (var (before,
                    after) in ids.Zip(ids.Skip(1))) Assert.True(Follows(each.records[Index(before)], each.records[Index(after)], order, before, after));
            }
        },
        Cases);

    [Fact]
    public Task Paging_visits_each_record_once_in_any_order() => Property.Holds(
        from records in Gen.ArrayOf(QueryCases.Record, 14)
        from orders in Gen.ArrayOf(QueryCases.Order, 4)
        from @where in QueryCases.Where
        from limit in Gen.Choose(1, 4)
        select (records, orders, @where, limit),
        async each =>
        {
            var store = await NewStore(each.records);
            foreach (var order in each.orders)
            {
                foreach (var condition in new[] { Condition.Always, each.@where })
                {
                    Assert.Equal(await Ids(store, condition, order), await Walk(store, new RecordQuery(Contact, condition, order, null, each.limit)));
                }
            }
        },
        Cases);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Records_that_come_and_go_between_pages_do_not_disturb_the_others(bool descending)
    {
        var store = NewStore();
        await Commit(store, [.. Enumerable.Range(10, 80).Select(i => Insert($"ct_{i}", new { a = i % 10 == 0 ? null : $"{i / 4}" }))]);
        var query = new RecordQuery(Contact, Condition.Always, [new(new("a"), descending)], null, 7);

        var read = await Walk(store, query, async page =>
        {
            await Commit(store, Insert($"ct_new_{page}_x", new { a = "00" }), Insert($"ct_new_{page}_y", new { a = "99" }), Insert($"ct_new_{page}_z"));
            await Commit(store, new Write.Remove(Contact, $"ct_new_{page}_x", 1));
        });

        Assert.Equal(
            Enumerable.Range(10, 80).Select(i => $"ct_{i}"),
            read.Where(id => !id.StartsWith("ct_new", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        Assert.Equal(read.Count, read.Distinct().Count());
    }

    [Fact]
    public async Task A_query_sees_the_latest_version_of_the_keys()
    {
        var store = NewStore();
        await Commit(store, Insert("ct_1", new { a = "old", tags = new[] { "x" }, custom_fields = new { plan = "free" } }));
        await Commit(store, Replace("ct_1", 2, new { a = "new", tags = new[] { "y" }, custom_fields = new { plan = "pro" } }));

        Assert.Empty(await Ids(store, new Condition.Equal(new("a"), "old")));
        Assert.Empty(await Ids(store, new Condition.Has(new("tags"), "x")));
        Assert.Equal(["ct_1"], await Ids(store, new Condition.Equal(new("a"), "new")));
        Assert.Equal(["ct_1"], await Ids(store, new Condition.Has(new("tags"), "y")));
        Assert.Equal(["ct_1"], await Ids(store, new Condition.Equal(new("custom_fields", "plan"), "pro")));
    }

    [Fact]
    public async Task A_query_finds_records_of_its_type_only()
    {
        var store = NewStore();
        await Commit(store, Insert("ct_1"), Insert("co_1", type: "company"), Insert("x_1", type: "it's"));

        foreach (var (type, id) in new[] { (Contact, "ct_1"), ("company", "co_1"), ("it's", "x_1") })
        {
            var page = await store.Query(new RecordQuery(type, Condition.Always, [new(new("created_at"), true)], null, 10), CancellationToken.None);
            Assert.Equal((type, id), (Assert.Single(page.Records).Type, page.Records[0].Id));
            Assert.Equal(1, await store.Count(type, Condition.Always, CancellationToken.None));
        }
    }

    [Fact]
    public async Task Types_of_one_family_are_sorted_and_found_each_by_itself()
    {
        var store = NewStore();
        var writes = Enumerable.Range(0, 30)
            .Select(i =>
                (Write)Insert($"rec_{i:00}", new { created_at = $"{i:00}", name = $"n{(i * 7) % 30:00}" }, type: i % 3 == 0 ? "record:a" : "record:b"));
        await Commit(store, [.. writes]);

        foreach (var (type, count) in new[] { ("record:a", 10), ("record:b", 20), ("record:", 0), ("record:c", 0) })
        {
            var expected = Enumerable.Range(0, 30).Where(i => type == (i % 3 == 0 ? "record:a" : "record:b")).OrderByDescending(i => (i * 7) % 30)
                .Select(i => $"rec_{i:00}").ToList();
            Assert.Equal(expected, await Walk(store, new RecordQuery(type, Condition.Always, [new SortKey(new KeyPath("name"), Descending: true)], null, 3)));
            Assert.Equal(count, await store.Count(type, new Condition.Compare(new KeyPath("name"), Comparison.GreaterOrEqual, "n00"), CancellationToken.None));
        }
    }

    [Fact]
    public async Task A_condition_on_what_a_link_points_to_looks_at_records_of_that_type_in_the_same_data_set()
    {
        var (store, other) = (NewStore(), NewStore());
        await Commit(store, Insert("co_1", new { industry = "technology" }, "company"), Insert("co_2", new { industry = "banking" }, "company"));
        await Commit(other, Insert("co_3", new { industry = "technology" }, "company"));
        await Commit(store, Insert("ct_1", new { company_id = "co_1" }), Insert("ct_2", new { company_id = "co_2" }),
            Insert("ct_3", new { company_id = "co_3" }), Insert("ct_4"));
        var technology = new Condition.Equal(new("industry"), "technology");
        var slug = new SortKey(new("custom_fields", "plan"), Descending: false);

        Assert.Equal(["ct_1"], await Ids(store, new Condition.Linked(new("company_id"), "company", technology)));
        Assert.Equal(["ct_1"], await Ids(store, new Condition.Linked(new("company_id"), "company", technology), slug));
        Assert.Equal(["ct_1", "ct_2"], await Ids(store, new Condition.Linked(new("company_id"), "company", Condition.Always)));
        Assert.Equal(["ct_2", "ct_3", "ct_4"], await Ids(store, new Condition.Not(new Condition.Linked(new("company_id"), "company", technology))));
        Assert.Empty(await Ids(store, new Condition.Linked(new("company_id"), "contact", Condition.Always)));
    }

    [Fact]
    public async Task A_condition_on_what_a_link_points_to_finds_all_however_many_that_are()
    {
        const int Companies = 1300;
        var store = NewStore();
        foreach (var chunk in Enumerable.Range(0, Companies).Chunk(900))
            await Commit(store, [.. chunk.Select(i => Insert($"co_{i}", new { industry = i % 100 == 0 ? "banking" : "technology" }, "company"))]);
        await Commit(store, [.. Enumerable.Range(100, 450).Select(i => Insert($"ct_{i}", new { a = i, company_id = $"co_{i * 7 % Companies}" }))]);
        await Commit(store, Insert("ct_x", new { a = 0 }));
        var technology = new Condition.Linked(new("company_id"), "company", new Condition.Equal(new("industry"), "technology"));
        var those = Enumerable.Range(100, 450).Where(i => i * 7 % Companies % 100 != 0).Select(i => $"ct_{i}").ToList();
        var few = new Condition.All([technology, new Condition.Compare(new("a"), Comparison.Less, 110L)]);

        Assert.Equal(those, await Walk(store, new RecordQuery(Contact, technology, [new(new("a"), false)], null, 170)));
        Assert.Equal(those.Count, await store.Count(Contact, technology, CancellationToken.None));
        Assert.Equal(451 - those.Count, await store.Count(Contact, new Condition.Not(technology), CancellationToken.None));
        Assert.Equal(those.TakeWhile(id => id != "ct_110").Where(id => string.CompareOrdinal(id, "ct_110") < 0), await Ids(store, few));
        Assert.Equal(new CommitOutcome(CommitResult.Blocked, Contact), await Commit(store, new Guard.NoneMatch(Contact, few), Insert("ct_y")));
    }

    [Fact]
    public async Task The_last_page_is_known_as_the_last()
    {
        var store = NewStore();
        await Commit(store, Insert("ct_1"), Insert("ct_2"));
        var query = new RecordQuery(Contact, Condition.Always, [new(new("created_at"), true)], null, 2);

        Assert.Null((await store.Query(query, CancellationToken.None)).Next);
        Assert.NotNull((await store.Query(query with { Limit = 1 }, CancellationToken.None)).Next);
    }

    /// <summary>A partition with these records, and the same ones of another type, which no query for them is to find.</summary>
    private async Task<IWorkspaceStore> NewStore(Keys[] records)
    {
        var store = NewStore();
        await Commit(store, [.. records.Select((keys, i) => Insert(Id(i), keys)), .. records.Select((keys, i) => Insert($"co_{i:00}", keys, "company"))]);
        return store;
    }

    private static string Id(int index) => $"ct_{index:00}";

    private static int Index(string id) => int.Parse(id.AsSpan(3), System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>The ids of every page, one after the other.</summary>
    private static async Task<List<string>> Walk(IWorkspaceStore store, RecordQuery query, Func<int, Task>? between = null)
    {
        var ids = new List<string>();
        for (var pages = 1; ; pages++)
        {
            var page = await store.Query(query, CancellationToken.None);
            Assert.InRange(page.Records.Count, page.Next is null ? 0 : query.Limit, query.Limit);
            ids.AddRange(page.Records.Select(record => record.Id));
            if (page.Next is null) return ids;
            Assert.True(pages < 1000, $"no end of {query}");
            query = query with { After = page.Next };
            if (between is not null) await between(pages);
        }
    }

    /// <summary>Whether the second row may stand after the first. Values of different types may stand either way.</summary>
    private static bool Follows(Keys first, Keys second, SortKey[] order, string firstId, string secondId)
    {
        foreach (var key in order)
        {
            if (ConditionEvaluator.Order(PlainQuery.Value(first, key.Path), PlainQuery.Value(second, key.Path)) is not { } compared) return true;
            if (compared != 0) return key.Descending ? compared > 0 : compared < 0;
        }

        return string.CompareOrdinal(firstId, secondId) < 0 != order[^1].Descending;
    }
}
