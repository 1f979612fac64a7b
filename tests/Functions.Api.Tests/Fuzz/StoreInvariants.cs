using System.Text.Json;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Core.Storage;
using NodeStash.Support.Running;
using Record = NodeStash.Core.Records.Record;

namespace NodeStash.Functions.Api.Tests.Fuzz;

/// <summary>What holds of an environment at rest, whatever was done to it.</summary>
internal static class StoreInvariants
{
    private static readonly string Merged = MergeContacts.UniqueKeyOf("");

    /// <summary>Fails with the first thing found that must not be.</summary>
    /// <param name="server">Where it is.</param>
    /// <param name="workspace">Whose live data.</param>
    public static async Task Hold(Server server, Workspace workspace)
    {
        var store = server.Services.GetRequiredService<IWorkspaceStores>().Open(new Partition(workspace.Id, WorkspaceEnvironment.Live));
        var records = new List<Record>();
        foreach (var schema in await Schemas(store)) records.AddRange((await All(store, schema)).Select(stored => Record.Load(schema, stored)));
        var byId = records.ToDictionary(record => record.Id, StringComparer.Ordinal);

        // Where a merged contact went stays known even when that one is gone too.
        var uniqueKeys = UniqueKeysIn(server.Folder, workspace.Id).ToLookup(uniqueKey => uniqueKey.Key.StartsWith(Merged, StringComparison.Ordinal));
        Assert.Equal(UniqueKeysOf(records), uniqueKeys[false]);
        Assert.All(uniqueKeys[true], uniqueKey => Assert.DoesNotContain(uniqueKey.Key[Merged.Length..], byId.Keys));
        Links(records, byId);
        Relations(records, byId);
        Fields(records);
        Pipelines(records);
        Deals(records, byId);
        Assert.All(records.Where(r => r.Schema == Activity.Schema), r => Assert.Equal(Activity.IsDone.Of(r), Activity.CompletedAt.Of(r) is not null));
        await Versions(store, records);
        await Lists(workspace.Owner, records, await Schemas(store));
    }

    /// <summary>Every resource, and the records of each custom object.</summary>
    private static async Task<IReadOnlyList<Schema>> Schemas(IWorkspaceStore store) =>
        [.. Crm.Catalog.All, .. (await CustomObject.All(store, CancellationToken.None)).Select(o => CustomRecord.Of(o.Slug))];

    private static async Task<IReadOnlyList<StoredRecord>> All(IWorkspaceStore store, Schema schema)
    {
        var all = new List<StoredRecord>();
        for (Keyset? after = null; ;)
        {
            var page = await store.Query(
                new RecordQuery(schema.Type, Condition.Always, [new SortKey(new KeyPath("created_at"), false)], after, 500), CancellationToken.None);
            all.AddRange(page.Records);
            if ((after = page.Next) is null) return all;
        }
    }

    /// <summary>The unique keys that the records say there are, with their owners.</summary>
    private static SortedDictionary<string, string> UniqueKeysOf(IEnumerable<Record> records)
    {
        var uniqueKeys = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var record in records)
        {
            foreach (var unique in record.Schema.Uniques)
            {
                if (unique.KeyOf(record) is { } uniqueKey) uniqueKeys.Add(uniqueKey, record.Id);
            }

            if (record.Schema != Pipeline.Schema) continue;
            foreach (var stage in Pipeline.StagesOf(record)) uniqueKeys.Add(Pipeline.UniqueKeyOf(stage.Id, stage.IsOpen), record.Id);
            if (Pipeline.IsDefault.Of(record)) uniqueKeys.Add(Pipeline.DefaultKey, record.Id);
        }

        return uniqueKeys;
    }

    /// <summary>The unique keys there are. The port answers one at a time and by name; whether there are any others, the tables alone tell.</summary>
    private static SortedDictionary<string, string> UniqueKeysIn(string folder, string partition)
    {
        using var database = new SqliteConnection($"Data Source={Path.Combine(folder, "nodestash.db")};Mode=ReadOnly;Pooling=false");
        database.Open();
        using var command = database.CreateCommand();
        command.CommandText = "SELECT claims.key, owner FROM claims JOIN partitions ON number = partition WHERE partitions.key = $partition";
        command.Parameters.AddWithValue("$partition", partition);
        using var rows = command.ExecuteReader();
        var uniqueKeys = new SortedDictionary<string, string>(StringComparer.Ordinal);
        while (rows.Read()) uniqueKeys.Add(rows.GetString(0), rows.GetString(1));
        return uniqueKeys;
    }

    private static void Links(IReadOnlyList<Record> records, Dictionary<string, Record> byId)
    {
        foreach (var record in records)
        {
            foreach (var link in record.Schema.Links.Where(l => l.IsChecked))
            {
                if (link.Of(record) is { } target)
                    Assert.True(byId.TryGetValue(target, out var found) && found.Schema.Type == link.TargetType,
                        $"{record.Id} links to {target}, which is not there");
            }
        }
    }

    private static void Relations(IReadOnlyList<Record> records, Dictionary<string, Record> byId)
    {
        foreach (var record in records.Where(r => r.Schema.EnvelopeType == CustomRecord.Schema.EnvelopeType))
        {
            foreach (var (slug, type) in CustomRecord.RelatedTypes.Of(record))
            {
                if (CustomRecord.CustomFields.Of(record)[slug] is not { } id) continue;
                Assert.True(byId.TryGetValue(id.GetString()!, out var found) && found.Schema.Type == type.GetString(),
                    $"{record.Id} relates to {id}, which is not there");
            }
        }
    }

    /// <summary>Each custom object shows the fields that there are.</summary>
    private static void Fields(IReadOnlyList<Record> records)
    {
        foreach (var definition in records.Where(r => r.Schema == CustomObject.Schema))
        {
            var fields = records.Where(r => r.Schema == CustomField.Schema && CustomField.EntityType.Of(r) == CustomObject.Slug.Of(definition))
                .Select(r => JsonElement.Parse(r.Store().Attributes.Span).GetRawText());
            Assert.Equal(fields.Order(StringComparer.Ordinal), CustomObject.Fields.Of(definition).Select(f => f.GetRawText()).Order(StringComparer.Ordinal));
        }
    }

    private static void Pipelines(IEnumerable<Record> records)
    {
        var pipelines = records.Where(r => r.Schema == Pipeline.Schema).ToList();
        Assert.Single(pipelines, p => Pipeline.IsDefault.Of(p));
        foreach (var pipeline in pipelines)
        {
            var stages = Pipeline.StagesOf(pipeline);
            Assert.Equal(Enumerable.Range(0, stages.Count), stages.Select(s => s.Position));
            Assert.Contains(stages, s => s.Type is "won");
            Assert.Contains(stages, s => s.Type is "lost");
        }
    }

    private static void Deals(IEnumerable<Record> records, Dictionary<string, Record> byId)
    {
        foreach (var deal in records.Where(r => r.Schema == Deal.Schema))
        {
            var stage = Pipeline.StagesOf(byId[Deal.PipelineId.Of(deal)!]).FirstOrDefault(s => s.Id == Deal.StageId.Of(deal));
            Assert.True(stage is not null, $"{deal.Id} is in a stage its pipeline does not have");
            Assert.Equal(stage.Type is not "open", Deal.ClosedAt.Of(deal) is not null);
        }
    }

    /// <summary>The events of each record tell every version once, in order (those of one change have the same), and the last one is the record's.</summary>
    private static async Task Versions(IWorkspaceStore store, IReadOnlyList<Record> records)
    {
        var told = new Dictionary<string, (long Version, string Name)>(StringComparer.Ordinal);
        for (string? position = null; ;)
        {
            var page = await store.ReadEvents(new EventQuery(position, 500), CancellationToken.None);
            foreach (var one in page.Events)
            {
                var before = told.GetValueOrDefault(one.RecordId);
                var isFurther = one.Name is "deal.stage_changed" or "contact.merged" && one.Version == before.Version;
                Assert.True(isFurther || one.Version == before.Version + 1,
                    $"{one.RecordId}: {one.Name} of version {one.Version} after {before.Name} of {before.Version}");
                Assert.False(before.Name?.EndsWith(".deleted", StringComparison.Ordinal) == true, $"{one.RecordId}: {one.Name} after {before.Name}");
                told[one.RecordId] = (one.Version, one.Name);
            }

            if (!page.HasMore) break;
            position = page.Position;
        }

        var stages = records.Where(r => r.Schema == Pipeline.Schema).SelectMany(Pipeline.StagesOf).Select(s => (s.Id, s.Version));
        var versions = records.Where(r => r.Schema.EventNoun is not null).Select(r => (r.Id, r.Version)).Concat(stages).ToDictionary(StringComparer.Ordinal);
        Assert.Equal(
            versions.OrderBy(v => v.Key, StringComparer.Ordinal).Select(v => $"{v.Key} {v.Value}"),
            told.Where(t => !t.Value.Name.EndsWith(".deleted", StringComparison.Ordinal)).OrderBy(t => t.Key, StringComparer.Ordinal)
                .Select(t => $"{t.Key} {t.Value.Version}"));
    }

    /// <summary>Every list pages to its end, whatever its sort, and shows what there is as it is, once.</summary>
    private static async Task Lists(Support.Running.Api api, IReadOnlyList<Record> records, IReadOnlyList<Schema> schemas)
    {
        foreach (var schema in schemas.Where(s => s != Core.Access.ApiKey.Schema))
        {
            var stored = records.Where(r => r.Schema.Type == schema.Type).ToDictionary(r => r.Id, StringComparer.Ordinal);
            foreach (var sort in schema.Fields.Where(f => f.IsSortable).Select(f => f.Name))
            {
                var listed = (await api.Pages($"/v1/{schema.Collection}?limit=100&sort={sort}")).SelectMany(page => page.List).ToList();
                Assert.Equal(
                    stored.Keys.Order(StringComparer.Ordinal), listed.Select(item => item.GetProperty("id").GetString()!).Order(StringComparer.Ordinal));
                Assert.All(listed,
                    item => Assert.True(
                        JsonElement.DeepEquals(
                            JsonElement.Parse(stored[item.GetProperty("id").GetString()!].Store().Attributes.Span), item.GetProperty("attributes"))));
            }
        }
    }
}
