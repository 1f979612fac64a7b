using System.Text.Json;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using NodeStash.Core.Access;
using NodeStash.Core.Events;
using NodeStash.Core.Jobs;
using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;
using NodeStash.Functions.Webhooks.Jobs;
using NodeStash.LocalHost.Store;
using NodeStash.Support;
using NodeStash.Support.Http;
using Schema = NodeStash.Core.Records.Schema;

namespace NodeStash.Functions.Webhooks.Tests;

/// <summary>What becomes of archived records after 30 days.</summary>
public sealed class PurgeTests : IAsyncLifetime
{
    private Crm crm = null!;
    private string workspace = null!;

    private static TimeSpan Retention => ArchiveState.Retention;

    public async ValueTask InitializeAsync()
    {
        crm = await Crm.Start();
        workspace = (await crm.Service<IAccessStore>().WorkspaceIds(CancellationToken.None)).Single();
    }

    public ValueTask DisposeAsync() => crm.DisposeAsync();

    [Fact]
    public async Task A_record_is_deleted_with_all_that_goes_with_it_30_days_after_it_was_archived()
    {
        var company = (await crm.Api.Create("companies", new { name = "Acme", domain = "acme.example" })).GetProperty("id").GetString()!;
        var jane = (await crm.Api.Create("contacts", new { company_id = company })).GetProperty("id").GetString()!;
        await Archive(Company.Schema, company);

        crm.Time.Advance(Retention - TimeSpan.FromMinutes(1));
        await Pass();
        Assert.NotNull(await Store().Find("company", company, CancellationToken.None));

        crm.Time.Advance(TimeSpan.FromMinutes(2));
        await Pass();

        Assert.Null(await Store().Find("company", company, CancellationToken.None));
        Assert.Equal(JsonValueKind.Null, (await crm.Api.Get($"contacts/{jane}")).GetProperty("company_id").ValueKind);
        await crm.Api.Create("companies", new { name = "Acme", domain = "acme.example" });
        var told = (await Store().EventsOf(company, null, 10, CancellationToken.None))[0];
        Assert.Equal("company.deleted", told.Name);
        Assert.Equal("system", JsonElement.Parse(told.Body.Span).GetProperty("metadata").GetProperty("triggered_by").GetString());
    }

    [Fact]
    public async Task Every_kind_of_record_is_purged_in_both_environments_and_nothing_else()
    {
        await crm.Api.Create("objects", new { singular_name = "Project", plural_name = "Projects" });
        using var test = await crm.TestData();
        var made = new List<(Schema Schema, string Id, WorkspaceEnvironment Environment)>();
        foreach (var (client, environment) in new[] { (crm.Api, WorkspaceEnvironment.Live), (test, WorkspaceEnvironment.Test) })
        {
            made.Add((Contact.Schema, await Made(client, "contacts", new { }), environment));
            made.Add((Company.Schema, await Made(client, "companies", new { name = "Acme" }), environment));
            made.Add((Deal.Schema, await Made(client, "deals", new { title = "Big" }), environment));
            made.Add((Activity.Schema, await Made(client, "activities", new { type = "note" }), environment));
        }

        made.Add((CustomRecord.Of("projects"), await Made(crm.Api, "objects/projects/records", new { name = "Apollo" }), WorkspaceEnvironment.Live));
        var stays = await Made(crm.Api, "contacts", new { });
        foreach (var (schema, id, environment) in made) await Archive(schema, id, environment);
        crm.Time.Advance(Retention + TimeSpan.FromMinutes(1));
        var late = await Made(crm.Api, "contacts", new { });
        await Archive(Contact.Schema, late);

        await Pass();

        foreach (var (schema, id, environment) in made) Assert.Null(await Store(environment).Find(schema.Type, id, CancellationToken.None));
        Assert.NotNull(await Store().Find("contact", stays, CancellationToken.None));
        Assert.Null((await Records().Restore(Contact.Schema, late, null, CancellationToken.None)).Error);

        static async Task<string> Made(CrmClient client, string path, object body) => (await client.Create(path, body)).GetProperty("id").GetString()!;
    }

    [Fact]
    public async Task A_pass_goes_on_where_it_was_interrupted_and_may_be_repeated()
    {
        var ids = new List<string>();
        for (var i = 0; i < 120; i++) ids.Add(await crm.Api.CreateContact($"jane{i}@example.com"));
        foreach (var id in ids) await Archive(Contact.Schema, id);
        crm.Time.Advance(Retention + TimeSpan.FromMinutes(1));
        var until = crm.Time.GetUtcNow() - Retention;

        // Stopped before anything, in the middle, at a place that is gone, and twice at once.
        using var stopped = new CancellationTokenSource();
        await stopped.CancelAsync();
        await Purge(new Purging(until), stopped.Token);
        var place = await Store().Find("contact", ids[40], CancellationToken.None);
        await Purge(new Purging(until, workspace, "contact", Text.Format(ArchiveState.TimeOf(place!)!.Value), ids[40]), CancellationToken.None);
        await Task.WhenAll(Purge(new Purging(until), CancellationToken.None), Purge(new Purging(until), CancellationToken.None));
        await Eventually.True(() => crm.Service<SqliteQueues>().Backlog().Count == 0, "the end of every job");

        var left = await Store().FindMany("contact", ids, CancellationToken.None);
        Assert.Empty(left);

        // Older events have passed their own 30 days.
        foreach (var id in ids) Assert.Equal(["contact.deleted"], (await Store().EventsOf(id, null, 10, CancellationToken.None)).Select(e => e.Name));
    }

    [Fact]
    public async Task A_record_that_is_restored_meanwhile_stays()
    {
        var ids = new List<string>();
        for (var i = 0; i < 40; i++) ids.Add(await crm.Api.CreateContact($"jane{i}@example.com"));
        foreach (var id in ids) await Archive(Contact.Schema, id);
        crm.Time.Advance(Retention + TimeSpan.FromMinutes(1));

        var restoring = Task.Run(async () =>
        {
            var restored = new List<string>();
            foreach (var id in Enumerable.Reverse(ids))
            {
                if ((await Records().Restore(Contact.Schema, id, null, CancellationToken.None)).Error is null) restored.Add(id);
            }

            return restored;
        });
        await Purge(new Purging(crm.Time.GetUtcNow() - Retention), CancellationToken.None);
        var kept = await restoring;

        var found = await Store().FindMany("contact", ids, CancellationToken.None);
        Assert.Equal(kept.Order(StringComparer.Ordinal), found.Select(r => r.Id).Order(StringComparer.Ordinal));
        Assert.All(found, record => Assert.False(ArchiveState.IsArchived(record)));
    }

    [Fact]
    public async Task Archived_and_restored_are_delivered_to_who_subscribes()
    {
        await using var receiver = await Receiver.Start();
        await crm.Api.Subscribe(receiver.Address, "contact.archived", "contact.restored");
        var jane = await crm.Api.CreateContact("jane@example.com");

        await Archive(Contact.Schema, jane);
        await Records().Restore(Contact.Schema, jane, null, CancellationToken.None);

        foreach (var name in new[] { "contact.archived", "contact.restored" })
        {
            var received = await receiver.Event(name);
            Assert.Equal(jane, received.RecordId);
            Assert.False(received.Event.TryGetProperty("previous_attributes", out _));
        }
    }

    /// <summary>A whole pass, as the timer begins it.</summary>
    private async Task Pass()
    {
        await ActivatorUtilities.CreateInstance<PurgeArchived>(crm.Service<IServiceProvider>()).Begin(new TimerInfo(), CancellationToken.None);
        await Eventually.True(() => crm.Service<SqliteQueues>().Backlog().Count == 0, "the end of every job");
    }

    private Task Purge(Purging job, CancellationToken ct) =>
        ActivatorUtilities.CreateInstance<PurgeArchived>(crm.Service<IServiceProvider>()).Run(JsonSerializer.Serialize(job), ct);

    private async Task Archive(Schema schema, string id, WorkspaceEnvironment environment = WorkspaceEnvironment.Live) =>
        Assert.Null((await Records(environment).Archive(schema, id, null, CancellationToken.None)).Error);

    private RecordSet Records(WorkspaceEnvironment environment = WorkspaceEnvironment.Live) =>
        new(Core.Resources.Crm.Catalog, new ArchiveFilter(new CascadeOverlay(Store(environment), Core.Resources.Crm.Catalog, crm.Time)), Origin.OfSystem,
            crm.Service<Ids>(), crm.Time);

    private IWorkspaceStore Store(WorkspaceEnvironment environment = WorkspaceEnvironment.Live) =>
        crm.Service<IWorkspaceStores>().Open(new Partition(workspace, environment));
}
