using NodeStash.Core.Storage;

namespace NodeStash.Support.Contracts.Storage;

public abstract partial class WorkspaceStoreContract
{
    [Fact]
    public async Task What_is_derived_of_records_follows_every_change_of_them()
    {
        var store = NewStore();
        Assert.Equal("", await IdsOf(store));
        await Commit(store, Insert("ct_1"));
        Assert.Equal("ct_1 1", await IdsOf(store));
        await Commit(store, Replace("ct_1", 2));
        Assert.Equal("ct_1 2", await IdsOf(store));
        await Commit(store, Insert("ct_2"), new Write.Remove(Contact, "ct_1", 2));
        Assert.Equal("ct_2 1", await IdsOf(store));
        Assert.Equal(CommitResult.Exists, (await Commit(store, Insert("ct_2"))).Result);
        Assert.Equal("ct_2 1", await IdsOf(store));
    }

    [Fact]
    public async Task Of_many_who_write_at_once_each_sees_its_own_record_in_what_is_derived()
    {
        var store = NewStore();
        await Task.WhenAll(Enumerable.Range(0, 300).Select(i => Task.Run(async () =>
        {
            var id = $"ct_{i}";
            await IdsOf(store);
            await Commit(store, Insert(id));
            Assert.Contains($"{id} 1", (await IdsOf(store)).Split(','));
        })));
    }

    [Fact]
    public async Task Data_sets_types_and_names_share_nothing_that_is_derived()
    {
        var (one, other) = (NewStore(), NewStore());
        var said = new List<string?>();
        foreach (var (store, type, name) in new[] { (one, "contact", "a"), (one, "contact", "b"), (one, "company", "a"), (other, "contact", "a") })
            said.Add(await store.Memoized(type, name, _ => ValueTask.FromResult<string?>($"{said.Count}"), CancellationToken.None));
        Assert.Equal(["0", "1", "2", "3"], said);
    }

    [Fact]
    public async Task Nothing_derived_is_asked_for_again()
    {
        var store = NewStore();
        Assert.Null(await store.Memoized(Contact, "a", _ => ValueTask.FromResult<string?>(null), CancellationToken.None));
        Assert.Equal("x", await store.Memoized(Contact, "a", _ => ValueTask.FromResult<string?>("x"), CancellationToken.None));
    }

    /// <summary>Ids and versions of the contacts, in order.</summary>
    private static async Task<string> IdsOf(IWorkspaceStore store) => (await store.Memoized(Contact, "ids", async ct =>
    {
        var page = await store.Query(new RecordQuery(Contact, Condition.Always, [new(new("created_at"), false)], null, 1000), ct);
        return (string?)string.Join(',', page.Records.Select(r => $"{r.Id} {r.Version}"));
    }, CancellationToken.None))!;
}
