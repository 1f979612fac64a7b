using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using NodeStash.Core.Events;
using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;
using Record = NodeStash.Core.Records.Record;

namespace NodeStash.Support.Contracts.Records;

/// <summary>The engine with an archive against a model of a few lines, whatever is done in whatever order. Subclassed for each store.</summary>
public abstract class ArchiveModelContract
{
    private static readonly Origin Somebody = new(ChangeSource.Api, "key_00000000000000000000", "req_00000000000000000000");
    private static readonly string[] Emails = ["a@example.com", "b@example.com", "c@example.com"];
    private readonly Ids ids = new(TimeProvider.System);

    /// <summary>How many cases are tried.</summary>
    protected virtual int Cases => 60;

    /// <summary>An empty partition.</summary>
    protected abstract IWorkspaceStore NewStore();

    [Fact]
    public Task Whatever_is_done_in_whatever_order_reads_are_those_of_the_model() => Property.Holds(Gen.ArrayOf(Step, 40), Run, Cases);

    [Fact]
    public async Task Records_stored_before_there_was_an_archive_are_visible()
    {
        var store = NewStore();
        var stored = Record.New(Contact.Schema, ids.New("ct_"), TimeProvider.System.GetUtcNow());
        stored[Contact.FirstName] = "Jane";
        Assert.Null(stored.Store().Internal);
        Assert.Equal(CommitOutcome.Done, await store.Commit(new Commit { Writes = [new Write.Insert(stored.Store(), stored.Keys())] }, CancellationToken.None));

        var seen = new ArchiveFilter(new CascadeOverlay(store, Crm.Catalog, TimeProvider.System));

        Assert.NotNull(await seen.Find("contact", stored.Id, CancellationToken.None));
        Assert.Equal(1, await seen.Count("contact", Condition.Always, CancellationToken.None));
    }

    [Fact]
    public async Task A_link_may_not_begin_at_an_archived_record_even_in_a_large_commit()
    {
        var store = NewStore();
        var records = new RecordSet(
            Crm.Catalog, new ArchiveFilter(new CascadeOverlay(store, Crm.Catalog, TimeProvider.System)), Somebody, ids, TimeProvider.System);
        var company = (await records.Create(Company.Schema, JsonElement.Parse("""{"name":"Acme"}"""), CancellationToken.None)).Value;
        await records.Archive(Company.Schema, company.Id, null, CancellationToken.None);

        foreach (var size in new[] { 1, 150 })
        {
            var contacts = Enumerable.Range(0, size).Select(_ => Record.New(Contact.Schema, ids.New("ct_"), TimeProvider.System.GetUtcNow()));
            var writes = contacts.Select(contact => new Write.Insert(contact.Store(), contact.Keys())).ToList<Write>();
            Assert.Equal(new CommitOutcome(CommitResult.Missing, company.Id), await Commit(writes, isVisible: true));
            Assert.Equal(CommitOutcome.Done, await Commit(writes, isVisible: false));
        }

        async Task<CommitOutcome> Commit(IReadOnlyList<Write> writes, bool isVisible) =>
            await store.Commit(new Commit { Guards = [new Guard.RecordExists("company", company.Id, isVisible)], Writes = writes }, CancellationToken.None);
    }

    private async Task Run((int What, int Record, int Value)[] steps)
    {
        var store = new ArchiveFilter(new CascadeOverlay(NewStore(), Crm.Catalog, TimeProvider.System));
        var records = new RecordSet(Crm.Catalog, store, Somebody, ids, TimeProvider.System);
        var companies = new List<string>();
        foreach (var name in Emails)
            companies.Add((await records.Create(Company.Schema, JsonElement.Parse($$"""{"name":"{{name}}"}"""), CancellationToken.None)).Value.Id);
        var model = new List<Modelled>();
        foreach (var (what, which, value) in steps)
        {
            var one = model.Count == 0 ? null : model[which % model.Count];
            await Do(what, one, Emails[value % 3], companies[value % 3], records, model);
            await Check(store, records, model, companies);
        }
    }

    /// <summary>Does a step to both, which have to agree on what comes of it.</summary>
    private static async Task Do(int what, Modelled? one, string email, string company, RecordSet records, List<Modelled> model)
    {
        var ct = CancellationToken.None;
        var schema = Contact.Schema;
        var isTaken = model.Exists(m => m.Email == email && m != one);
        switch (what)
        {
            case < 3:
                var created = await records.Create(schema, JsonElement.Parse($$"""{"email":"{{email}}","company_id":"{{company}}"}"""), ct);
                Assert.Equal(model.Exists(m => m.Email == email) ? ErrorCode.Conflict : null, created.Error?.Code);
                if (created.Error is null) model.Add(new Modelled(created.Value.Id, email, company));
                break;
            case 3 when one is not null:
                var updated = await records.Update(schema, one.Id, JsonElement.Parse($$"""{"email":"{{email}}","company_id":"{{company}}"}"""), null, ct);
                Assert.Equal(one.IsArchived ? ErrorCode.NotFound : isTaken ? ErrorCode.Conflict : null, updated.Error?.Code);
                if (updated.Error is null) (one.Email, one.Company) = (email, company);
                break;
            case 4 or 5 when one is not null:
                Assert.Equal(one.IsArchived ? ErrorCode.NotFound : null, (await records.Archive(schema, one.Id, null, ct)).Error?.Code);
                one.IsArchived = true;
                break;
            case 6 when one is not null:
                Assert.Null((await records.Restore(schema, one.Id, null, ct)).Error);
                one.IsArchived = false;
                break;
            case 7 when one is not null:
                var deleted = await records.Delete(schema, one.Id, null, ct);
                Assert.Equal(one.IsArchived ? ErrorCode.NotFound : null, deleted?.Code);
                if (deleted is null) model.Remove(one);
                break;
            case 8 when one is not null:
                var purged = await records.Purge(schema, one.Id, null, ct);
                Assert.Equal(one.IsArchived ? null : ErrorCode.NotFound, purged?.Code);
                if (purged is null) model.Remove(one);
                break;
            case 9:
                var upserted = await records.Upsert(schema, schema.Uniques[0], JsonElement.Parse($$"""{"email":"{{email}}","company_id":"{{company}}"}"""), ct);
                var owner = model.Find(m => m.Email == email);
                Assert.Equal(owner is { IsArchived: true } ? ErrorCode.Conflict : null, upserted.Error?.Code);
                if (upserted.Error is null && owner is null) model.Add(new Modelled(upserted.Value.Record.Id, email, company));
                else if (upserted.Error is null) owner!.Company = company;
                break;
        }
    }

    private static async Task Check(ArchiveFilter store, RecordSet records, List<Modelled> model, List<string> companies)
    {
        var ct = CancellationToken.None;
        var visible = model.Where(m => !m.IsArchived).ToList();
        Assert.Equal(Sorted(visible), await List(records, Condition.Always, withArchived: false));
        Assert.Equal(Sorted(model), await List(records, Condition.Always, withArchived: true));
        Assert.Equal(visible.Count, await store.Count("contact", Condition.Always, ct));
        Assert.Equal(Sorted(visible), (await store.FindMany("contact", [.. model.Select(m => m.Id)], ct)).Select(r => r.Id).Order(StringComparer.Ordinal));
        foreach (var one in model)
        {
            Assert.Equal(one.IsArchived ? ErrorCode.NotFound : null, (await records.Get(Contact.Schema, one.Id, ct)).Error?.Code);
            Assert.Null((await records.Get(Contact.Schema, one.Id, ct, withArchived: true)).Error);
        }

        var counts = await store.CountEach("contact", new KeyPath("company_id"), companies, Condition.Always, ct);
        Assert.All(companies, company => Assert.Equal(visible.Count(m => m.Company == company), counts.GetValueOrDefault(company)));
        var ofTheFirst = new Condition.Equal(new KeyPath("company_id"), companies[0]);
        Assert.Equal(Sorted(visible.Where(m => m.Company == companies[0])), await List(records, ofTheFirst, withArchived: false));
    }

    private static async Task<IEnumerable<string>> List(RecordSet records, Condition where, bool withArchived)
    {
        var query = new RecordQuery("contact", where, [new SortKey(new KeyPath("created_at"), true)], null, 100) { WithArchived = withArchived };
        return (await records.List(query, CancellationToken.None)).Records.Select(r => r.Id).Order(StringComparer.Ordinal);
    }

    private static IEnumerable<string> Sorted(IEnumerable<Modelled> model) => model.Select(m => m.Id).Order(StringComparer.Ordinal);

    private static Gen<(int What, int Record, int Value)> Step =>
        from what in Gen.Choose(0, 9)
        from record in Gen.Choose(0, 100)
        from value in Gen.Choose(0, 2)
        select (what, record, value);

    private sealed class Modelled(string id, string email, string company)
    {
        public string Id => id;

        public string Email { get; set; } = email;

        public string Company { get; set; } = company;

        public bool IsArchived { get; set; }
    }
}
