using FsCheck.Fluent;
using NodeStash.Core.Storage;

namespace NodeStash.Support.Contracts.Storage;

public abstract partial class WorkspaceStoreContract
{
    [Fact]
    public async Task A_data_set_shows_nothing_of_another_through_any_member()
    {
        var workspace = "ws_" + Interlocked.Increment(ref partitions);
        var owner = Stores.Open(new Partition(workspace, WorkspaceEnvironment.Live));
        await owner.Commit(
            new Commit { Writes = [Insert("ct_1"), new Write.Reserve("email:jane", "ct_1")], Events = [Event("evt_1")] }, CancellationToken.None);

        foreach (var other in new[] { Stores.Open(new Partition(workspace, WorkspaceEnvironment.Test)), NewStore() })
        {
            // Once as a partition that was never written to, once with something of its own.
            await AssertNothing(other);
            await Commit(other, Insert("own", type: "company"));
            await AssertNothing(other);

            Assert.Equal(CommitResult.Stale, (await Commit(other, Replace("ct_1", 2))).Result);
            Assert.Equal(CommitResult.Stale, (await Commit(other, new Write.Remove(Contact, "ct_1", 1))).Result);
            Assert.Equal(CommitResult.Missing, (await Commit(other, new Guard.RecordExists(Contact, "ct_1"))).Result);
            Assert.Equal(CommitResult.Missing, (await Commit(other, new Guard.UniqueKeyHeld("email:jane"))).Result);
            Assert.Equal(CommitOutcome.Done, await Commit(other, new Guard.NoneMatch(Contact, Condition.Always)));
            Assert.Equal(CommitOutcome.Done, await Commit(other, new Write.Release("email:jane", "ct_1")));
            Assert.Equal(CommitOutcome.Done, await Commit(other, Insert("ct_1"), new Write.Reserve("email:jane", "ct_1"), Replace("ct_1", 2)));
        }

        Assert.Equal(1, await Version(owner, "ct_1"));
        Assert.Equal("ct_1", await owner.FindOwner("email:jane", CancellationToken.None));
    }

    [Fact]
    public Task What_several_data_sets_do_is_what_each_would_see_alone() => Property.Holds(
        Gen.ArrayOf(
            from who in Gen.Choose(0, 2)
            from what in Gen.Choose(0, 5)
            from id in Gen.Elements("ct_1", "ct_2", "ct_3")
            from version in Gen.Choose(1, 3)
            from owner in Gen.Elements("ct_1", "ct_2")
            select (who, what, id, version, owner),
            40),
        async steps =>
        {
            var workspace = "ws_" + Interlocked.Increment(ref partitions);
            IWorkspaceStore[] stores = [
                Stores.Open(new Partition(workspace, WorkspaceEnvironment.Live)), Stores.Open(new Partition(workspace, WorkspaceEnvironment.Test)), NewStore()];
            var alone = stores.Select(_ => new PlainStore()).ToArray();
            foreach (var (step, (who, what, id, version, owner)) in steps.Index())
            {
                Write? write = what switch
                {
                    0 => Insert(id, new { created_at = $"{step:00}" }),
                    1 => Replace(id, version, new { created_at = $"{step:00}" }),
                    2 => new Write.Remove(Contact, id, version),
                    3 => new Write.Reserve(id, owner),
                    4 => new Write.Release(id, owner),
                    _ => null,
                };
                var commit = new Commit { Writes = write is null ? [] : [write], Events = [Event($"evt_{step:00}", id)] };

                Assert.Equal(alone[who].Apply(commit), (await stores[who].Commit(commit, CancellationToken.None)).Result);
            }

            foreach (var (store, plain) in stores.Zip(alone)) await AssertSame(plain, store);
        },
        Cases);

    private static async Task AssertNothing(IWorkspaceStore store)
    {
        Assert.Null(await store.Find(Contact, "ct_1", CancellationToken.None));
        Assert.Empty(await store.FindMany(Contact, ["ct_1"], CancellationToken.None));
        Assert.Null(await store.TypeOf("ct_1", CancellationToken.None));
        Assert.Empty(await Ids(store, Condition.Always));
        Assert.Equal(0, await store.Count(Contact, Condition.Always, CancellationToken.None));
        Assert.Empty(await store.CountEach(Contact, KeyPath.Id, ["ct_1"], Condition.Always, CancellationToken.None));
        Assert.Null(await store.FindOwner("email:jane", CancellationToken.None));
        Assert.Null(await store.FindEvent("evt_1", CancellationToken.None));
        Assert.Empty((await store.ReadEvents(new EventQuery(null, 10), CancellationToken.None)).Events);
        Assert.Empty((await store.ReadEvents(new EventQuery(null, 10, RecordId: "ct_1"), CancellationToken.None)).Events);
    }

    private static async Task AssertSame(PlainStore plain, IWorkspaceStore store)
    {
        Assert.Equal(plain.Versions.Keys.Order(), (await Ids(store, Condition.Always)).Order());
        foreach (var id in new[] { "ct_1", "ct_2", "ct_3" })
        {
            Assert.Equal(plain.Versions.TryGetValue(id, out var version) ? version : null, await Version(store, id));
            Assert.Equal(plain.UniqueKeys.GetValueOrDefault(id), await store.FindOwner(id, CancellationToken.None));
        }

        Assert.Equal(plain.Events, (await store.ReadEvents(new EventQuery(null, 100), CancellationToken.None)).Events.Select(each => each.Id));
    }

    /// <summary>One partition with nothing beside it: what commits of a single write do.</summary>
    private sealed class PlainStore
    {
        public Dictionary<string, long> Versions { get; } = [];

        public Dictionary<string, string> UniqueKeys { get; } = [];

        public List<string> Events { get; } = [];

        public CommitResult Apply(Commit commit)
        {
            var result = commit.Writes.Select(Apply).SingleOrDefault(CommitResult.Done);
            if (result is CommitResult.Done) Events.AddRange(commit.Events.Select(each => each.Id));
            return result;
        }

        private CommitResult Apply(Write write)
        {
            switch (write)
            {
                case Write.Insert insert:
                    return Versions.TryAdd(insert.Record.Id, 1) ? CommitResult.Done : CommitResult.Exists;
                case Write.Replace replace:
                    if (Versions.GetValueOrDefault(replace.Record.Id) is var before && (before == 0 || before != replace.Record.Version - 1))
                        return CommitResult.Stale;
                    Versions[replace.Record.Id] = replace.Record.Version;
                    return CommitResult.Done;
                case Write.Remove remove:
                    if (Versions.GetValueOrDefault(remove.Id) != remove.Version) return CommitResult.Stale;
                    Versions.Remove(remove.Id);
                    return CommitResult.Done;
                case Write.Reserve uniqueKey:
                    return UniqueKeys.TryAdd(uniqueKey.Key, uniqueKey.Owner) || UniqueKeys[uniqueKey.Key] == uniqueKey.Owner
                        ? CommitResult.Done
                        : CommitResult.UniqueKeyTaken;
                case Write.Release release:
                    if (UniqueKeys.GetValueOrDefault(release.Key) == release.Owner) UniqueKeys.Remove(release.Key);
                    return CommitResult.Done;
                default:
                    throw new ArgumentException(write.ToString());
            }
        }
    }
}
