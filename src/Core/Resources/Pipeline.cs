using System.Text.Json;
using NodeStash.Core.Events;
using NodeStash.Core.Records;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Core.Resources;

/// <summary>Declares the resource of pipelines (sales processes), and changes their stages. Source: docs/api/v1.md, Pipelines and stages.</summary>
public static class Pipeline
{
    /// <summary>Unique key that the default pipeline of an environment holds.</summary>
    public const string DefaultKey = "pipeline:default";

    /// <summary>The name of the pipeline.</summary>
    public static readonly TextField Name = new("name", 200)
    {
        Description = "The name of the pipeline.", Example = "\"Sales\"",
        IsRequired = true,
    };

    /// <summary>The purpose of the pipeline, in words for users.</summary>
    public static readonly TextField Description = new("description", 1000)
    {
        Description = "What the pipeline is for.", Example = "\"New customers\"",
    };

    /// <summary>Whether deals that name no pipeline go here; true for exactly one pipeline of an environment.</summary>
    public static readonly FlagField IsDefault = new("is_default")
    {
        Description = "Whether deals that name no pipeline go here; one pipeline of a workspace does.",
        Default = false, Filter = FilterKind.Exact,
    };

    /// <summary>The stages, by position; at least one won and one lost.</summary>
    public static readonly StagesField Stages = new("stages")
    {
        Description = "The stages in order, at most 40.", Example = "[{\"name\":\"Lead\"},{\"name\":\"Won\",\"type\":\"won\"}]",
        Access = FieldAccess.CreateOnly, IsRequired = true,
    };

    /// <summary>The version of each stage, by its id. Events and ETags of stages need it; the stages inside a pipeline do not show it.</summary>
    private static readonly MapField StageVersions = new("stage_versions") { Access = FieldAccess.Internal };

    /// <summary>The schema. Its rules number the stages and keep one default pipeline.</summary>
    public static Schema Schema { get; } = new("pipeline", "pp_", "pipelines", [Name, Description, IsDefault, Stages, StageVersions])
    {
        EventNoun = "pipeline",
        Includes = [new Include("deal_count", "deal", IncludeDealCount)],
        Decide = Decide,
    };

    /// <summary>Returns the unique key that a pipeline holds for a stage. It tells that the stage exists and whether it is open.</summary>
    public static string UniqueKeyOf(string stageId, bool isOpen) => $"pipeline_stage:{stageId}:{(isOpen ? "open" : "closed")}";

    /// <summary>The pipeline that a new environment starts with, as a client would send it.</summary>
    public static JsonElement First { get; } = JsonElement.Parse(
        """
        {"name":"Sales","is_default":true,"stages":[{"name":"Lead"},{"name":"Qualified"},{"name":"Proposal"},{"name":"Negotiation"},
         {"name":"Won","type":"won"},{"name":"Lost","type":"lost"}]}
        """);

    /// <summary>Returns the stages with their versions, by position.</summary>
    public static IReadOnlyList<Stage> StagesOf(Record pipeline)
    {
        var versions = StageVersions.Of(pipeline);
        return [.. Stages.Of(pipeline).Select(s => s with { Version = versions[s.Id]?.GetInt64() ?? 1 })];
    }

    /// <summary>Inserts a new stage at its position; later stages move back by one.</summary>
    /// <param name="pipeline">The pipeline to change.</param>
    /// <param name="body">The stage as a client gives it.</param>
    /// <param name="errors">Receives validation errors.</param>
    public static void AddStage(Record pipeline, JsonElement body, ValidationErrors errors)
    {
        var stages = StagesOf(pipeline).ToList();
        if (stages.Count >= StagesField.MaxStages) errors.Add(Stages.Name, $"At most {StagesField.MaxStages} stages");
        var stage = Stage.Read(body, null, stages.Count, "", errors);
        stages.Insert(Math.Min(stage.Position, stages.Count), stage);
        pipeline[Stages] = stages;
    }

    /// <summary>Changes a stage, and moves it if its position changes.</summary>
    /// <returns>False if the pipeline has no such stage.</returns>
    public static bool ChangeStage(Record pipeline, string stageId, JsonElement body, ValidationErrors errors)
    {
        var stages = StagesOf(pipeline).ToList();
        if (stages.FindIndex(s => s.Id == stageId) is var at && at < 0) return false;
        var stage = Stage.Read(body, stages[at], 0, "", errors);
        stages.RemoveAt(at);
        stages.Insert(Math.Min(stage.Position, stages.Count), stage);
        pipeline[Stages] = stages;
        return true;
    }

    /// <summary>Removes a stage; later stages move up by one.</summary>
    /// <returns>False if the pipeline has no such stage.</returns>
    public static bool RemoveStage(Record pipeline, string stageId)
    {
        var stages = StagesOf(pipeline).ToList();
        if (stages.RemoveAll(s => s.Id == stageId) == 0) return false;
        pipeline[Stages] = stages;
        return true;
    }

    /// <summary>Counts the deals in a stage.</summary>
    public static ValueTask<long> CountDeals(string stageId, IWorkspaceStore store, CancellationToken ct) =>
        store.Count(Deal.Schema.Type, new Condition.Equal(new KeyPath(Deal.StageId.Name), stageId), ct);

    /// <summary>Includes the number of deals in each pipeline and in each of its stages.</summary>
    private static async ValueTask<IReadOnlyList<Included>> IncludeDealCount(IReadOnlyList<StoredRecord> pipelines, IWorkspaceStore store, CancellationToken ct)
    {
        var stages = pipelines.Select(pipeline => Stages.Of(Record.Load(Schema, pipeline))).ToList();
        var ids = stages.SelectMany(each => each).Select(stage => stage.Id).ToList();
        var counts = await store.CountEach(Deal.Schema.Type, new KeyPath(Deal.StageId.Name), ids, Condition.Always, ct);
        return [.. stages.Select(each => new Included(
            Member.Number("deal_count", each.Sum(stage => counts.GetValueOrDefault(stage.Id))),
            new Member(Stages.Name, JsonForm.Array(each.Select(stage => stage.Attributes(null, counts.GetValueOrDefault(stage.Id)))))))];
    }

    private static async ValueTask<Error?> Decide(Change change, CancellationToken ct)
    {
        if (change.After is { } after)
        {
            NumberStages(change, after);
            if (change.Before is null && !HasWonAndLost(after))
                return Error.Invalid(Stages.Name, "A pipeline needs at least one stage of type won and one of type lost");
            if (change.Before is not null && !HasWonAndLost(after))
                return Error.Invalid("type", "A pipeline needs at least one stage of type won and one of type lost: add another one first");
        }

        AddStageChanges(change);
        return await DecideDefault(change, ct);
    }

    private static bool HasWonAndLost(Record pipeline) =>
        Stages.Of(pipeline) is var stages && stages.Any(s => s.Type is "won") && stages.Any(s => s.Type is "lost");

    /// <summary>Numbers the stages from 0, gives ids to new ones, and raises the version of those that changed.</summary>
    private static void NumberStages(Change change, Record pipeline)
    {
        var now = Text.ToSecond(change.Now);
        var old = change.Before is { } before ? StagesOf(before).ToDictionary(s => s.Id, StringComparer.Ordinal) : [];

        // On create the client's positions decide, and ties keep the order of the list. On update the list is in order already.
        var listed = change.Before is null ? Stages.Of(pipeline).OrderBy(s => s.Position) : (IEnumerable<Stage>)Stages.Of(pipeline);
        var stages = listed.Select((stage, position) => stage with { Position = position }).Select(stage =>
            stage.Id.Length == 0 ? stage with { Id = change.Ids.New(Stage.Prefix), CreatedAt = now, UpdatedAt = now }
            : old[stage.Id].IsLike(stage) ? old[stage.Id]
            : stage with { Version = old[stage.Id].Version + 1, UpdatedAt = now }).ToList();

        // The record keeps versions apart from the stages, so that two lists are equal if a client sees them as equal.
        pipeline[Stages] = stages.ConvertAll(s => s with { Version = 1 });
        pipeline[StageVersions] = new JsonMap(
            [.. stages.Select(s => new KeyValuePair<string, JsonElement>(s.Id, JsonElement.Parse(Text.Invariant(s.Version))))]);
    }

    /// <summary>Adds the unique keys, guards and events of stages that were added, removed or changed.</summary>
    private static void AddStageChanges(Change change)
    {
        var pipelineId = change.Subject.Id;
        var old = change.Before is { } before ? StagesOf(before) : [];
        var stages = change.After is { } after ? StagesOf(after) : [];
        foreach (var stage in stages)
        {
            if (old.FirstOrDefault(s => s.Id == stage.Id) is not { } was)
            {
                change.Writes.Add(new Write.Reserve(UniqueKeyOf(stage.Id, stage.IsOpen), pipelineId));
                change.Events.Add(new ExtraEvent("pipeline_stage.created", "pipeline_stage", stage.Id, stage.Version, stage.Attributes(pipelineId)));
            }
            else if (!was.IsLike(stage))
            {
                if (was.IsOpen != stage.IsOpen)
                {
                    change.Writes.Add(new Write.Release(UniqueKeyOf(stage.Id, was.IsOpen), pipelineId));
                    change.Writes.Add(new Write.Reserve(UniqueKeyOf(stage.Id, stage.IsOpen), pipelineId));
                    change.Cascades.Add(Deal.CloseOrReopen(stage.Id, stage.IsOpen, change.Now));
                }

                change.Events.Add(
                    new ExtraEvent("pipeline_stage.updated", "pipeline_stage", stage.Id, stage.Version, stage.Attributes(pipelineId), Previous(was, stage)));
            }
        }

        foreach (var stage in old.Where(s => !stages.Any(kept => kept.Id == s.Id)))
        {
            change.Writes.Add(new Write.Release(UniqueKeyOf(stage.Id, stage.IsOpen), pipelineId));
            // If the whole pipeline is deleted, the deals' link to it is guarded already.
            if (change.After is not null) change.Guards.Add(HoldsNoDeals(stage));
            change.Events.Add(new ExtraEvent("pipeline_stage.deleted", "pipeline_stage", stage.Id, stage.Version + 1, stage.Attributes(pipelineId)));
        }
    }

    private static Guard.NoneMatch HoldsNoDeals(Stage stage) => new(Deal.Schema.Type, new Condition.Equal(new KeyPath(Deal.StageId.Name), stage.Id));

    private static ReadOnlyMemory<byte> Previous(Stage was, Stage stage) => JsonForm.Object(writer =>
    {
        if (was.Name != stage.Name) writer.WriteString("name"u8, was.Name);
        if (was.Position != stage.Position) writer.WriteNumber("position"u8, was.Position);
        if (was.Type != stage.Type) writer.WriteString("type"u8, was.Type);
    });

    /// <summary>Keeps exactly one default pipeline: a new default replaces the old one, and a deleted default is replaced by the oldest other.</summary>
    private static async ValueTask<Error?> DecideDefault(Change change, CancellationToken ct)
    {
        var was = change.Before is { } before && IsDefault.Of(before);
        var will = change.After is { } after && IsDefault.Of(after);
        if (was == will) return null;
        if (change.After is not null && was) return Error.Invalid(IsDefault.Name, "A workspace needs a default pipeline: make another one the default instead");

        var other = was ? await FindOldestOther(change, ct) : await FindDefault(change, ct);
        if (was && other is null) return Error.Invalid("id", "The last pipeline can't be deleted: create another one first");
        if (other is not null)
        {
            var changed = other.Next();
            changed[IsDefault] = was;
            change.With.Add(change.Beside(other, changed));
        }

        var (from, to) = was ? (change.Subject.Id, other!.Id) : (other?.Id, change.Subject.Id);
        if (from is not null) change.Writes.Add(new Write.Release(DefaultKey, from));
        change.Writes.Add(new Write.Reserve(DefaultKey, to));
        return null;
    }

    private static async ValueTask<Record?> FindDefault(Change change, CancellationToken ct) =>
        await change.Store.FindOwner(DefaultKey, ct) is { } id && await change.Store.Find(Schema.Type, id, ct) is { } stored
            ? Record.Load(Schema, stored)
            : null;

    private static async ValueTask<Record?> FindOldestOther(Change change, CancellationToken ct)
    {
        var order = new SortKey(new KeyPath(Schema.CreatedAt.Name), Descending: false);
        var page = await change.Store.Query(new RecordQuery(Schema.Type, Condition.Always, [order], null, 2), ct);
        return page.Records.FirstOrDefault(r => r.Id != change.Subject.Id) is { } stored ? Record.Load(Schema, stored) : null;
    }
}
