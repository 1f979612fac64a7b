using System.Text;
using NodeStash.Core.Storage;

namespace NodeStash.Support.Contracts.Storage;

public abstract partial class WorkspaceStoreContract
{
    [Fact]
    public async Task A_record_is_read_as_it_was_stored()
    {
        var store = NewStore();
        var stored = new StoredRecord(Contact, "ct_1", 1, "{\"id\":\"ct_1\",\"name\":\"Žofia 🐝\"}"u8.ToArray(), "{\"a\":1}"u8.ToArray());
        await Commit(store, new Write.Insert(stored, Keys(null)), new Write.Insert(stored with { Id = "ct_2", Internal = null }, Keys(null)));

        var found = await store.Find(Contact, "ct_1", CancellationToken.None);

        Assert.NotNull(found);
        Assert.Equal((Contact, "ct_1", 1), (found.Type, found.Id, found.Version));
        Assert.Equal(Encoding.UTF8.GetString(stored.Attributes.Span), Encoding.UTF8.GetString(found.Attributes.Span));
        Assert.Equal("{\"a\":1}", Encoding.UTF8.GetString(found.Internal!.Value.Span));
        Assert.Null((await store.Find(Contact, "ct_2", CancellationToken.None))!.Internal);
    }

    [Fact]
    public async Task A_record_is_found_under_its_own_type_only()
    {
        var store = NewStore();
        await Commit(store, Insert("ct_1"));

        Assert.Null(await Version(store, "ct_1", "company"));
        Assert.Null(await Version(store, "ct_2"));
        Assert.Empty(await store.FindMany("company", ["ct_1"], CancellationToken.None));
    }

    [Fact]
    public async Task TypeOf_answers_the_type_of_a_record_and_nothing_for_what_is_none()
    {
        var store = NewStore();
        await Commit(store, Insert("ct_1"), Insert("rec_1", type: "record:projects"), new Write.Reserve("email:jane", "ct_1"));
        await store.Commit(new Commit { Events = [Event("evt_1")] }, CancellationToken.None);

        Assert.Equal(Contact, await store.TypeOf("ct_1", CancellationToken.None));
        Assert.Equal("record:projects", await store.TypeOf("rec_1", CancellationToken.None));
        foreach (var id in new[] { "ct_9", "evt_1", "'; --" }) Assert.Null(await store.TypeOf(id, CancellationToken.None));
        await Commit(store, new Write.Remove(Contact, "ct_1", 1));
        Assert.Null(await store.TypeOf("ct_1", CancellationToken.None));
    }

    [Fact]
    public async Task FindMany_answers_those_that_exist()
    {
        var store = NewStore();
        await Commit(store, Insert("ct_1"), Insert("ct_2"), Insert("ct_3"));

        var found = await store.FindMany(Contact, ["ct_3", "ct_1", "ct_9", "ct_1", "'; --"], CancellationToken.None);

        Assert.Equal(["ct_1", "ct_3"], found.Select(record => record.Id).Order());
        Assert.Empty(await store.FindMany(Contact, [], CancellationToken.None));
    }

    [Fact]
    public async Task An_id_is_inserted_once_whatever_its_type()
    {
        var store = NewStore();
        await Commit(store, Insert("ct_1"));

        Assert.Equal(new CommitOutcome(CommitResult.Exists, "ct_1"), await Commit(store, Insert("ct_1")));
        Assert.Equal(new CommitOutcome(CommitResult.Exists, "ct_1"), await Commit(store, Insert("ct_1", type: "company")));
    }

    [Fact]
    public async Task A_replacement_must_follow_the_stored_version()
    {
        var store = NewStore();
        await Commit(store, Insert("ct_1"));

        Assert.Equal(CommitOutcome.Done, await Commit(store, Replace("ct_1", 2)));
        Assert.Equal(new CommitOutcome(CommitResult.Stale, "ct_1"), await Commit(store, Replace("ct_1", 2)));
        Assert.Equal(new CommitOutcome(CommitResult.Stale, "ct_1"), await Commit(store, Replace("ct_1", 4)));
        Assert.Equal(new CommitOutcome(CommitResult.Stale, "ct_1"), await Commit(store, Replace("ct_1", 3, type: "company")));
        Assert.Equal(new CommitOutcome(CommitResult.Stale, "ct_9"), await Commit(store, Replace("ct_9", 2)));

        var found = await store.Find(Contact, "ct_1", CancellationToken.None);
        Assert.Equal(2, found!.Version);
        Assert.Equal("{\"id\":\"ct_1\",\"version\":2}", Encoding.UTF8.GetString(found.Attributes.Span));
        Assert.Equal("{\"secret\":\"2\"}", Encoding.UTF8.GetString(found.Internal!.Value.Span));
    }

    [Fact]
    public async Task A_removal_must_name_the_stored_version()
    {
        var store = NewStore();
        await Commit(store, Insert("ct_1"));

        Assert.Equal(new CommitOutcome(CommitResult.Stale, "ct_1"), await Commit(store, new Write.Remove(Contact, "ct_1", 2)));
        Assert.Equal(new CommitOutcome(CommitResult.Stale, "ct_1"), await Commit(store, new Write.Remove("company", "ct_1", 1)));
        Assert.Equal(CommitOutcome.Done, await Commit(store, new Write.Remove(Contact, "ct_1", 1)));
        Assert.Equal(new CommitOutcome(CommitResult.Stale, "ct_1"), await Commit(store, new Write.Remove(Contact, "ct_1", 1)));
        Assert.Null(await Version(store, "ct_1"));
    }

    [Fact]
    public async Task A_claim_belongs_to_one_owner_until_released()
    {
        var store = NewStore();
        const string Key = "contact:email:jane@example.com";

        Assert.Equal(CommitOutcome.Done, await Commit(store, new Write.Reserve(Key, "ct_1")));
        Assert.Equal(CommitOutcome.Done, await Commit(store, new Write.Reserve(Key, "ct_1")));
        Assert.Equal(new CommitOutcome(CommitResult.UniqueKeyTaken, Key), await Commit(store, new Write.Reserve(Key, "ct_2")));
        Assert.Equal(CommitOutcome.Done, await Commit(store, new Write.Release(Key, "ct_2")));
        Assert.Equal("ct_1", await store.FindOwner(Key, CancellationToken.None));
        Assert.Equal(CommitOutcome.Done, await Commit(store, new Write.Release(Key, "ct_1"), new Write.Reserve(Key, "ct_2")));
        Assert.Equal("ct_2", await store.FindOwner(Key, CancellationToken.None));
        Assert.Null(await store.FindOwner(Key + "x", CancellationToken.None));
    }

    [Fact]
    public async Task Of_many_who_claim_at_once_one_wins()
    {
        var store = NewStore();
        var contenders = Enumerable.Range(0, 64).Select(i => $"ct_{i}").ToArray();

        var outcomes = await Task.WhenAll(contenders.Select(id => Task.Run(() => Commit(store, Insert(id), new Write.Reserve("email:jane", id)))));

        var winner = contenders[Array.FindIndex(outcomes, outcome => outcome.Result is CommitResult.Done)];
        Assert.Equal(63, outcomes.Count(outcome => outcome == new CommitOutcome(CommitResult.UniqueKeyTaken, "email:jane")));
        Assert.Equal(winner, await store.FindOwner("email:jane", CancellationToken.None));
        Assert.Equal([winner], await Ids(store, Condition.Always));
    }

    [Fact]
    public async Task Of_many_who_replace_a_version_one_wins()
    {
        var store = NewStore();
        await Commit(store, Insert("ct_1"));

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => Task.Run(() => Commit(store, Replace("ct_1", 2)))));

        Assert.Single(outcomes, CommitOutcome.Done);
        Assert.Equal(63, outcomes.Count(outcome => outcome.Result is CommitResult.Stale));
    }

    public static TheoryData<string> Failures => ["exists", "stale", "stale removal", "claim", "guard", "blocked"];

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task Nothing_of_a_refused_commit_stays(string failure)
    {
        var store = NewStore();
        await Commit(store, Insert("ct_1", new { created_at = "1", company_id = "co_1" }), Insert("ct_2"), new Write.Reserve("taken", "ct_1"));
        var refused = new Commit
        {
            Writes =
            [
                Insert("ct_3"), Replace("ct_2", 2), new Write.Remove(Contact, "ct_1", 1), new Write.Reserve("new", "ct_3"),
                .. failure switch
                {
                    "exists" => [Insert("ct_2")],
                    "stale" => [Replace("ct_2", 2)],
                    "stale removal" => [new Write.Remove(Contact, "ct_1", 1)],
                    "claim" => [new Write.Reserve("taken", "ct_3")],
                    _ => Array.Empty<Write>(),
                },
                new Write.Release("taken", "ct_1"),
            ],
            Guards = failure switch
            {
                "guard" => [new Guard.RecordExists("company", "co_9")],
                "blocked" => [new Guard.NoneMatch(Contact, new Condition.Equal(new("company_id"), "co_1"))],
                _ => [],
            },
            Events = [Event("evt_1")],
        };

        Assert.NotEqual(CommitResult.Done, (await store.Commit(refused, CancellationToken.None)).Result);

        Assert.Equal((1, 1, null), (await Version(store, "ct_1"), await Version(store, "ct_2"), await Version(store, "ct_3")));
        Assert.Equal("ct_1", await store.FindOwner("taken", CancellationToken.None));
        Assert.Null(await store.FindOwner("new", CancellationToken.None));
        Assert.Null(await store.FindEvent("evt_1", CancellationToken.None));
        Assert.Empty((await store.ReadEvents(new EventQuery(null, 10), CancellationToken.None)).Events);
        Assert.Equal(["ct_1", "ct_2"], await Ids(store, Condition.Always));
    }

    [Fact]
    public async Task Writes_are_applied_in_order()
    {
        var store = NewStore();

        Assert.Equal(CommitOutcome.Done, await Commit(store, Insert("ct_1"), Replace("ct_1", 2), new Write.Remove(Contact, "ct_1", 2), Insert("ct_1")));
        Assert.Equal(1, await Version(store, "ct_1"));
    }

    [Fact]
    public async Task A_reference_must_exist()
    {
        var store = NewStore();
        await Commit(store, Insert("co_1", type: "company"), new Write.Reserve("taken", "co_1"));

        Assert.Equal(CommitOutcome.Done, await Commit(store, new Guard.RecordExists("company", "co_1"), Insert("ct_1")));
        Assert.Equal(new CommitOutcome(CommitResult.Missing, "co_2"), await Commit(store, new Guard.RecordExists("company", "co_2"), Insert("ct_2")));
        Assert.Equal(new CommitOutcome(CommitResult.Missing, "co_1"), await Commit(store, new Guard.RecordExists(Contact, "co_1"), Insert("ct_2")));
        Assert.Equal(CommitOutcome.Done, await Commit(store, new Guard.UniqueKeyHeld("taken"), Insert("ct_3")));
        Assert.Equal(new CommitOutcome(CommitResult.Missing, "free"), await Commit(store, new Guard.UniqueKeyHeld("free"), Insert("ct_4")));
    }

    [Fact]
    public async Task What_is_referred_to_is_not_removed()
    {
        var store = NewStore();
        var unreferred = new Guard.NoneMatch(Contact, new Condition.Equal(new("company_id"), "co_1"));
        await Commit(store, Insert("co_1", type: "company"), Insert("ct_1", new { created_at = "1", company_id = "co_1" }));

        Assert.Equal(new CommitOutcome(CommitResult.Blocked, Contact), await Commit(store, unreferred, new Write.Remove("company", "co_1", 1)));
        await Commit(store, new Write.Remove(Contact, "ct_1", 1));
        Assert.Equal(CommitOutcome.Done, await Commit(store, unreferred, new Write.Remove("company", "co_1", 1)));
    }

    [Fact]
    public async Task Guards_are_checked_before_the_writes()
    {
        var store = NewStore();

        Assert.Equal(
            new CommitOutcome(CommitResult.Missing, "co_1"),
            await Commit(store, new Guard.RecordExists("company", "co_1"), Insert("co_1", type: "company")));
        Assert.Equal(CommitOutcome.Done, await Commit(store, new Guard.NoneMatch(Contact, Condition.Always), Insert("ct_1")));
    }

    [Fact]
    public async Task A_reference_never_outlives_what_it_refers_to()
    {
        var store = NewStore();
        for (var round = 0; round < 30; round++)
        {
            var company = $"co_{round}";
            var refers = new Condition.Equal(new("company_id"), company);
            await Commit(store, Insert(company, type: "company"));

            var refer = Task.Run(
                () => Commit(store, new Guard.RecordExists("company", company), Insert($"ct_{round}", new { created_at = "1", company_id = company })));
            var remove = Task.Run(() => Commit(store, new Guard.NoneMatch(Contact, refers), new Write.Remove("company", company, 1)));
            var done = (await Task.WhenAll(refer, remove)).Count(outcome => outcome == CommitOutcome.Done);

            Assert.Equal(1, done);
            Assert.Equal(await Version(store, company, "company") is null ? 0 : 1, await store.Count(Contact, refers, CancellationToken.None));
        }
    }

    [Fact]
    public async Task No_reader_sees_half_a_commit()
    {
        var store = NewStore();
        await Commit(store, Insert("ct_a"), Insert("ct_b"));
        const long Last = 300;
        var writer = Task.Run(async () =>
        {
            for (var version = 2L; version <= Last; version++)
            {
                await store.Commit(
                    new Commit { Writes = [Replace("ct_a", version), Replace("ct_b", version), Insert($"pair_{version}_a"), Insert($"pair_{version}_b")] },
                    CancellationToken.None);
            }
        });

        long seen;
        do
        {
            var both = await store.FindMany(Contact, ["ct_a", "ct_b"], CancellationToken.None);
            Assert.Equal(both[0].Version, both[1].Version);
            Assert.Equal(0, await store.Count(Contact, Condition.Always, CancellationToken.None) % 2);
            Assert.Equal(0, (await Ids(store, Condition.Always)).Count % 2);
            seen = both[0].Version;
        }
        while (seen < Last && !writer.IsFaulted);

        await writer;
    }

    [Fact]
    public async Task A_commit_of_more_than_a_thousand_operations_is_refused()
    {
        var store = NewStore();
        var writes = Enumerable.Range(0, 998).Select(i => Insert($"ct_{i}")).ToArray<Write>();
        var max = new Commit { Writes = writes, Guards = [new Guard.NoneMatch("company", Condition.Always)], Events = [Event("evt_1")] };

        Assert.Equal(CommitOutcome.Done, await store.Commit(max, CancellationToken.None));
        await Assert.ThrowsAsync<CommitTooLargeException>(async () => await store.Commit(
            new Commit { Writes = [Insert("ct_a"), .. writes.Select(write => new Write.Release("x", "y"))], Guards = max.Guards, Events = [Event("evt_2")] },
            CancellationToken.None));
        Assert.Null(await Version(store, "ct_a"));
    }

    [Fact]
    public async Task A_commit_of_more_than_two_megabytes_is_refused()
    {
        var store = NewStore();
        var large = Record("ct_1", 1) with { Attributes = new byte[Core.Storage.Commit.MaxBytes] };

        await Assert.ThrowsAsync<CommitTooLargeException>(async () => await Commit(store, new Write.Insert(large, Keys(null))));
        Assert.Null(await Version(store, "ct_1"));
    }

    [Fact]
    public async Task A_store_opened_with_the_session_of_another_sees_what_that_one_wrote()
    {
        var store = NewStore();
        for (var version = 1; version <= 10; version++)
        {
            await Commit(store, version == 1 ? Insert("ct_1") : Replace("ct_1", version));
            Assert.Equal(version, await Version(Stores.Open(store.Partition, store.Session), "ct_1"));
        }
    }

    [Fact]
    public async Task A_cancelled_call_changes_nothing()
    {
        var store = NewStore();
        var cancelled = new CancellationToken(canceled: true);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await store.Commit(new Commit { Writes = [Insert("ct_1")] }, cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await store.Find(Contact, "ct_1", cancelled));
        Assert.Null(await Version(store, "ct_1"));
    }
}
