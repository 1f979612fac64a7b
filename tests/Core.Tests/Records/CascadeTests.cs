using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using NodeStash.Core.Events;
using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;
using NodeStash.LocalHost.Store;
using NodeStash.Support.Databases;
using Property = NodeStash.Support.Property;
using Schema = NodeStash.Core.Records.Schema;

namespace NodeStash.Core.Tests.Records;

/// <summary>A cascade under way, as readers see it and as the work on it ends.</summary>
public sealed class CascadeTests : IDisposable
{
    private static readonly Origin Somebody = new(ChangeSource.Api, "key_00000000000000000000", "req_00000000000000000000");
    private static readonly string[] Names = ["Ada", "Bob", "Cyd"];
    private static readonly string[] Tags = ["x", "y", "z"];
    private static readonly string[] Plans = ["null", "\"A\"", "\"b\"", "[\"a\",\"q\"]", "[\"q\"]", "7"];
    private const string Dawn = "2026-01-15T06:00:00Z";
    private const string Noon = "2026-01-15T12:00:00Z";
    private static readonly KeyPath Due = new("due_date");
    private static readonly KeyPath ContactId = new("contact_id");
    private static readonly KeyPath TagsPath = new("tags");
    private static readonly KeyPath Plan = new("custom_fields", "plan");
    private static int workspaces;

    private readonly TemporaryDatabase file = new(Crm.Catalog.Indexes);
    private readonly Ids ids = new(TimeProvider.System);

    [Fact]
    public Task Readers_see_at_once_what_is_there_in_the_end() => Property.Holds(
        from activities in Gen.ArrayOf(Gen.Choose(0, 3).Zip(Gen.SubListOf(Tags)).Zip(Gen.Elements(Plans)), 8)
        from changes in Gen.ArrayOf(Change, 3)
        from conditions in Gen.ArrayOf(Where(2), 8)
        select (activities, changes, conditions),
        async each =>
        {
            var store = NewStore();
            var records = new RecordSet(Crm.Catalog, store, Somebody, ids, TimeProvider.System);
            var contacts = new List<string?>();
            foreach (var name in Names) contacts.Add((await Create(records, Contact.Schema, $$"""{"first_name":"{{name}}"}""")).Id);
            contacts.Add(null);
            foreach (var (i, ((contact, tags), plan)) in each.activities.Index())
            {
                var link = JsonSerializer.Serialize(contacts[contact]);
                await Create(records, Activity.Schema,
                    $$$"""{"type":"{{{(i % 3 == 0 ? "call" : "note")}}}","contact_id":{{{link}}},"due_date":{{{(tags.Count % 2 == 0 ? "null" : $"\"{Dawn}\"")}}},"tags":{{{JsonSerializer.Serialize(tags)}}},"custom_fields":{"plan":{{{plan}}}}}""");
            }

            await Announce(store, each.changes.Select(change => change(contacts)));
            var settled = new CascadeOverlay(store, Crm.Catalog, TimeProvider.System);
            var conditions = each.conditions.Select(condition => condition(contacts)).ToList();
            var seen = await See(settled, conditions);

            while (!await new CascadeWorker(Crm.Catalog, ids, TimeProvider.System).Work(store, TimeSpan.FromSeconds(1), CancellationToken.None))
            {
            }

            Assert.Equal(await See(store, conditions), seen);
            Assert.Equal(seen, await See(settled, conditions));
        },
        tests: 100);

    [Fact]
    public async Task What_is_changed_meanwhile_keeps_the_new_value()
    {
        var store = NewStore();
        var records = new RecordSet(Crm.Catalog, new CascadeOverlay(store, Crm.Catalog, TimeProvider.System), Somebody, ids, TimeProvider.System);
        var (gone, stays) = (await Create(records, Contact.Schema, "{}"), await Create(records, Contact.Schema, "{}"));
        var activity = await Create(records, Activity.Schema, $$"""{"type":"note","contact_id":"{{gone.Id}}"}""");
        await Announce(store, [new Cascade(Activity.Schema, ContactId, [gone.Id])]);

        var moved = (await records.Update(
            Activity.Schema, activity.Id, JsonElement.Parse($$"""{"contact_id":"{{stays.Id}}"}"""), activity.Version, CancellationToken.None)).Value;
        await new CascadeWorker(Crm.Catalog, ids, TimeProvider.System).Work(store, TimeSpan.FromSeconds(10), CancellationToken.None);

        Assert.Equal(moved, await store.Find("activity", activity.Id, CancellationToken.None), Same);
    }

    [Fact]
    public async Task It_tells_of_each_record_on_behalf_of_who_asked_and_once()
    {
        var store = NewStore();
        var records = new RecordSet(Crm.Catalog, store, Somebody, ids, TimeProvider.System);
        var contact = await Create(records, Contact.Schema, "{}");
        for (var i = 0; i < 100; i++) await Create(records, Activity.Schema, $$"""{"type":"note","contact_id":"{{contact.Id}}"}""");
        await Announce(store, [new Cascade(Activity.Schema, ContactId, [contact.Id])]);

        var worker = new CascadeWorker(Crm.Catalog, ids, TimeProvider.System);
        var both = await Task.WhenAll(
            Enumerable.Range(0, 2).Select(_ => Task.Run(async () => await worker.Work(store, TimeSpan.FromMinutes(1), CancellationToken.None))));

        Assert.Equal([true, true], both);
        var told = (await store.ReadEvents(new EventQuery(null, 1000, "activity.updated"), CancellationToken.None)).Events.Select(
            e => JsonElement.Parse(e.Body.Span)).ToList();
        Assert.Equal(100, told.Select(e => e.GetProperty("data").GetProperty("id").GetString()).Distinct().Count());
        Assert.Equal(100, told.Count);
        Assert.All(told,
            e => Assert.Equal((2L, Somebody.Actor),
                (e.GetProperty("metadata").GetProperty("version").GetInt64(), e.GetProperty("metadata").GetProperty("actor").GetString())));
    }

    [Fact]
    public async Task Records_on_their_way_to_one_contact_go_on_to_the_one_it_goes_into()
    {
        var (store, records) = NewRecords();
        var contacts = new List<StoredRecord>();
        for (var i = 0; i < 3; i++) contacts.Add(await Create(records, Contact.Schema, "{}"));
        for (var i = 0; i < 30; i++) await Create(records, Activity.Schema, $$"""{"type":"note","contact_id":"{{contacts[0].Id}}"}""");
        for (var i = 0; i < 2; i++)
            Assert.Null((await MergeContacts.Run(
                records, JsonElement.Parse($$"""{"source_ids":["{{contacts[i].Id}}"],"target_id":"{{contacts[i + 1].Id}}"}"""), CancellationToken.None)).Error);

        Assert.True(await Work(store));

        Assert.Equal(30, await store.Count("activity", new Condition.Equal(ContactId, contacts[2].Id), CancellationToken.None));
    }

    [Fact]
    public async Task Records_whose_keys_are_larger_than_they_are_do_not_stop_it()
    {
        var (store, records) = NewRecords();
        var field = await Create(records, CustomField.Schema, """{"entity_type":"contact","name":"plan","slug":"plan","field_type":"text"}""");
        var growsWhenFolded = new string('\u023A', 6200);
        for (var i = 0; i < 60; i++) await Create(records, Contact.Schema, $$$"""{"custom_fields":{"plan":"a","big":"{{{growsWhenFolded}}}"} }""");
        Assert.Null(await records.Delete(CustomField.Schema, field.Id, null, CancellationToken.None));

        Assert.True(await Work(store));
    }

    [Fact]
    public async Task What_is_being_taken_away_is_not_written_meanwhile()
    {
        var (store, records) = NewRecords();
        var tag = await Create(records, Tag.Schema, """{"name":"vip"}""");
        for (var i = 0; i < 30; i++) await Create(records, Contact.Schema, """{"tags":["vip"]}""");
        Assert.Null(await records.Delete(Tag.Schema, tag.Id, null, CancellationToken.None));
        var other = await Create(records, Tag.Schema, """{"name":"vip"}""");

        var body = JsonElement.Parse("""{"tags":["vip"]}""");
        Assert.Equal((ErrorCode.Conflict, "tags"), Fault((await records.Create(Contact.Schema, body, CancellationToken.None)).Error));
        Assert.Equal(ErrorCode.Conflict, (await records.Delete(Tag.Schema, other.Id, null, CancellationToken.None))?.Code);

        Assert.True(await Work(store));
        await Create(records, Contact.Schema, """{"tags":["vip"]}""");
        Assert.Equal(1, await store.Count("contact", new Condition.Has(TagsPath, "vip"), CancellationToken.None));
        Assert.Null(await records.Delete(Tag.Schema, other.Id, null, CancellationToken.None));
    }

    [Fact]
    public async Task An_option_written_otherwise_is_no_other_option()
    {
        var (store, records) = NewRecords();
        var field = await Create(
            records, CustomField.Schema, """{"entity_type":"contact","name":"plan","slug":"plan","field_type":"select","options":["Gold","b"]}""");
        for (var i = 0; i < 30; i++) await Create(records, Contact.Schema, """{"custom_fields":{"plan":"Gold"}}""");

        Assert.Null((await FieldOperations.Update(
            records, field.Id, JsonElement.Parse("""{"options":["gold","b"]}"""), null, force: true, CancellationToken.None)).Error);

        Assert.True(await Work(store));
        Assert.Equal(30, await store.Count("contact", new Condition.Equal(Plan, "gold"), CancellationToken.None));
    }

    [Fact]
    public async Task An_object_defined_while_another_of_its_slug_is_deleted_waits_until_that_is_gone()
    {
        var (store, records) = NewRecords();
        var definition = JsonElement.Parse("""{"singular_name":"Project","plural_name":"Projects"}""");
        var first = (await records.Create(CustomObject.Schema, definition, CancellationToken.None)).Value;
        for (var i = 0; i < 30; i++) await Create(records, CustomRecord.Of("projects"), """{"name":"Apollo"}""");
        var late = Interleaved.Of(
            store, async () => Assert.Null(await records.Delete(CustomObject.Schema, first.Id, null, CancellationToken.None, force: true)));

        var again = await new RecordSet(Crm.Catalog, new CascadeOverlay(late, Crm.Catalog, TimeProvider.System), Somebody, ids, TimeProvider.System).Create(
            CustomObject.Schema, definition, CancellationToken.None);

        Assert.Equal((ErrorCode.Conflict, "slug"), Fault(again.Error));
        Assert.True(await Work(store));
        await Create(records, CustomObject.Schema, definition.GetRawText());
        var made = await Create(records, CustomRecord.Of("projects"), """{"name":"Gemini"}""");
        Assert.True(await Work(store));
        Assert.Equal([made.Id], (await Find(store, Condition.Always, CustomRecord.TypeOf("projects"))).Select(r => r.Id));
    }

    public void Dispose() => file.Dispose();

    private IWorkspaceStore NewStore() =>
        new SqliteStores(file.Database, Crm.Catalog.Indexes, new SqliteChangeFeed(file.Database), TimeProvider.System)
            .Open(new Partition($"ws_{Interlocked.Increment(ref workspaces)}", WorkspaceEnvironment.Live));

    private (IWorkspaceStore Store, RecordSet Records) NewRecords()
    {
        var store = NewStore();
        return (store, new RecordSet(Crm.Catalog, new CascadeOverlay(store, Crm.Catalog, TimeProvider.System), Somebody, ids, TimeProvider.System));
    }

    private async Task<bool> Work(IWorkspaceStore store) =>
        await new CascadeWorker(Crm.Catalog, ids, TimeProvider.System).Work(store, TimeSpan.FromMinutes(1), CancellationToken.None);

    private static (ErrorCode?, string?) Fault(Error? error) => (error?.Code, error?.Details[0].Field);

    private static async Task<StoredRecord> Create(RecordSet records, Schema schema, string body) =>
        (await records.Create(schema, JsonElement.Parse(body), CancellationToken.None)).Value;

    private async Task Announce(IWorkspaceStore store, IEnumerable<Cascade> changes)
    {
        var announced =
            (await PendingCascades.Read(store, Crm.Catalog, CancellationToken.None)).Announce(changes, Somebody, ids, TimeProvider.System.GetUtcNow())!;
        Assert.Equal(CommitOutcome.Done, await store.Commit(new Commit { Writes = [announced.Write()] }, CancellationToken.None));
    }

    /// <summary>All that a reader can see of the activities: each as it is, versions aside, and which of them each condition finds.</summary>
    private static async Task<IReadOnlyList<string>> See(IWorkspaceStore store, IReadOnlyList<Condition> conditions)
    {
        var seen = new List<string>();
        var all = await Find(store, Condition.Always);
        foreach (var record in all) seen.Add(WithoutTime((await store.Find(record.Type, record.Id, CancellationToken.None))!));
        seen.AddRange((await store.FindMany("activity", [.. all.Select(r => r.Id)], CancellationToken.None)).Select(WithoutTime).Order(StringComparer.Ordinal));
        foreach (var condition in conditions)
        {
            seen.Add($"{condition}: {string.Join(' ', (await Find(store, condition)).Select(WithoutTime))}");
            seen.Add($"{condition}: {await store.Count("activity", condition, CancellationToken.None)}");
        }

        var contacts = await Find(store, Condition.Always, "contact");
        var counts = await store.CountEach("activity", ContactId, [.. contacts.Select(c => c.Id)], Condition.Always, CancellationToken.None);
        seen.AddRange(counts.Select(c => $"{c.Key}: {c.Value}").Order(StringComparer.Ordinal));
        return seen;
    }

    private static async Task<IReadOnlyList<StoredRecord>> Find(IWorkspaceStore store, Condition where, string type = "activity") =>
        (await store.Query(new RecordQuery(type, where, [new SortKey(new KeyPath("created_at"), false)], null, 100), CancellationToken.None)).Records;

    private static string WithoutTime(StoredRecord record)
    {
        var attributes = JsonElement.Parse(record.Attributes.Span);
        return $"{record.Id} {string.Join(' ', attributes.EnumerateObject().Where(p => p.Name is not "updated_at").Select(p => p.Value.GetRawText()))}";
    }

    private static bool Same(StoredRecord? left, StoredRecord? right) => (left!.Version, WithoutTime(left)) == (right!.Version, WithoutTime(right));

    /// <summary>A change, once the contacts have their ids; the last of them is none.</summary>
    private static Gen<Func<IReadOnlyList<string?>, Cascade>> Change => Gen.OneOf(
        Gen.Choose(0, 2).Zip(Gen.Choose(0, 3)).Where(pair => pair.Item1 != pair.Item2)
            .Select(pair =>
                (Func<IReadOnlyList<string?>, Cascade>)(contacts => new Cascade(Activity.Schema, ContactId, [contacts[pair.Item1]!], contacts[pair.Item2]))),
        Gen.Elements(Tags).Zip(Gen.Elements<string?>([.. Tags, null])).Where(pair => pair.Item1 != pair.Item2)
            .Select(pair => (Func<IReadOnlyList<string?>, Cascade>)(_ => new Cascade(Activity.Schema, TagsPath, [pair.Item1], pair.Item2))),
        Gen.Choose(0, 2).Zip(Gen.Elements(true, false)).Select(pair => (Func<IReadOnlyList<string?>, Cascade>)(contacts =>
            new Cascade(Activity.Schema, Due, pair.Item2 ? null : [], pair.Item2 ? null : Noon, new LinkFilter("contact_id", contacts[pair.Item1]!)))),
        Gen.Elements<string[]?>(null, ["a"], ["a", "b"]).Select(from => (Func<IReadOnlyList<string?>, Cascade>)(_ => new Cascade(Activity.Schema, Plan, from))),
        Gen.Elements<string[]?>(["call"], ["task", "note"], null)
            .Select(from => (Func<IReadOnlyList<string?>, Cascade>)(_ => new Cascade(Activity.Schema, new KeyPath("type"), from, DeletesRecords: true))));

    private static Gen<Func<IReadOnlyList<string?>, Condition>> Where(int depth)
    {
        var leaf = Gen.OneOf(
            Gen.Choose(0, 3).Select(i => Of(contacts => new Condition.Equal(ContactId, contacts[i]))),
            Gen.SubListOf(Enumerable.Range(0, 4)).Select(some => Of(contacts => new Condition.In(ContactId, [.. some.Select(i => contacts[i])]))),
            Gen.Elements(Names)
                .Select(name => Of(_ => new Condition.Linked(ContactId, "contact", new Condition.Equal(new KeyPath("first_name"), Text.Fold(name))))),
            Gen.Choose(0, 2).Zip(Gen.Elements(Enum.GetValues<Comparison>()))
                .Select(pair => Of(contacts => new Condition.Compare(ContactId, pair.Item2, contacts[pair.Item1]!))),
            Gen.Elements(null, Noon, Dawn).Select(time => Of(_ => new Condition.Equal(Due, time))),
            Gen.Elements(Enum.GetValues<Comparison>()).Select(how => Of(_ => new Condition.Compare(Due, how, Noon))),
            Gen.Elements(Tags).Select(tag => Of(_ => new Condition.Has(TagsPath, tag))),
            Gen.Elements<object?>("a", "b", 7L, null).Select(plan => Of(_ => new Condition.Equal(Plan, plan))),
            Gen.Elements("a", "q").Select(plan => Of(_ => new Condition.Has(Plan, plan))),
            Gen.Elements("a", "").Select(start => Of(_ => new Condition.StartsWith(Plan, start + "a"))));
        if (depth == 0) return leaf;
        var inner = Where(depth - 1);
        return Gen.OneOf(
            leaf,
            inner.Select(one => Of(contacts => new Condition.Not(one(contacts)))),
            inner.Zip(inner).Select(two => Of(contacts => new Condition.All([two.Item1(contacts), two.Item2(contacts)]))),
            inner.Zip(inner).Select(two => Of(contacts => new Condition.Any([two.Item1(contacts), two.Item2(contacts)]))));
    }

    private static Func<IReadOnlyList<string?>, Condition> Of(Func<IReadOnlyList<string?>, Condition> condition) => condition;
}
