using NodeStash.Core.Events;
using NodeStash.Core.Records;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Core.Resources;

/// <summary>Declares the resource of deals: sales in a stage of a pipeline. Source: docs/api/v1.md, Deals.</summary>
public static class Deal
{
    /// <summary>The subject of the deal; search treats it as the name.</summary>
    public static readonly TextField Title = new("title", 300)
    {
        Description = "What the deal is about.", Example = "\"Annual licence\"",
        IsRequired = true, Search = Searchable.Name,
    };

    /// <summary>The amount in <see cref="Currency"/>, with at most two decimal places.</summary>
    public static readonly MoneyField Value = new("value")
    {
        Description = "The amount, with at most two decimal places.", Example = "\"48000.00\"",
        IsSortable = true,
    };

    /// <summary>The ISO 4217 code of the amount; EUR by default.</summary>
    public static readonly CurrencyField Currency = new("currency")
    {
        Description = "The ISO 4217 code of the amount; EUR if absent.", Example = "\"EUR\"",
        Default = "EUR",
    };

    /// <summary>The pipeline that the deal is in; the default pipeline if the client names none. A pipeline with deals can't be deleted.</summary>
    public static readonly LinkField PipelineId = new("pipeline_id", "pp_", "pipeline")
    {
        Description = "The pipeline the deal is in; the default pipeline if absent.",
        Filter = FilterKind.Exact, HoldsTarget = true,
    };

    /// <summary>The stage that the deal is in; it belongs to the deal's pipeline.</summary>
    public static readonly LinkField StageId = new("stage_id", "ps_", "pipeline_stage")
    {
        Description = "The stage of the pipeline; its first open stage if absent.",
        Filter = FilterKind.Exact, IsChecked = false,
    };

    /// <summary>The contact that the deal is with; cleared when the contact is deleted.</summary>
    public static readonly LinkField ContactId = new("contact_id", "ct_", "contact")
    {
        Description = "The contact the deal is with.",
        Filter = FilterKind.Exact,
    };

    /// <summary>The company that the deal is with; cleared when the company is deleted.</summary>
    public static readonly LinkField CompanyId = new("company_id", "co_", "company")
    {
        Description = "The company the deal is with.",
        Filter = FilterKind.Exact,
    };

    /// <summary>The day on which the deal is expected to close.</summary>
    public static readonly DateField ExpectedCloseDate = new("expected_close_date")
    {
        Description = "The day the deal is expected to close.", Example = "\"2026-03-31\"",
        IsSortable = true,
    };

    /// <summary>When the deal entered a won or lost stage; null while its stage is open.</summary>
    public static readonly TimeField ClosedAt = new("closed_at")
    {
        Description = "When the deal entered a won or lost stage; null while it is open.",
        Access = FieldAccess.ReadOnly, Filter = FilterKind.Exact,
    };

    /// <summary>The schema. Its rule sets pipeline, stage and closing time.</summary>
    public static Schema Schema { get; } = new("deal", "dl_", "deals",
        [Title, Value, Currency, PipelineId, StageId, ContactId, CompanyId, Shared.OwnerId(), ExpectedCloseDate, ClosedAt, Shared.CustomFields(),
            Shared.Tags()], isArchivable: true)
    {
        EventNoun = "deal",
        Includes = [Include.Linked(ContactId), Include.Linked(CompanyId), Include.Linked(PipelineId), new Include("stage", "pipeline", IncludeStage)],
        ExtraFilters =
        [
            new NamedFilter("min_value", Value, Comparison.GreaterOrEqual),
            new NamedFilter("max_value", Value, Comparison.LessOrEqual),
        ],
        Decide = Decide,
    };

    /// <summary>Sets the stage of a deal, to the given one or the first open one of its pipeline, and when the deal was closed.</summary>
    /// <param name="deal">The deal after the change; its stage and closing time are set.</param>
    /// <param name="before">The deal before the change; null on create.</param>
    /// <param name="isStageGiven">Whether the client named the stage. If not, a deal that changes its pipeline enters the new one's first open stage.</param>
    /// <param name="stages">The stages of the deal's pipeline, by position.</param>
    /// <param name="now">The time of the change.</param>
    /// <returns>An error if the pipeline does not have the stage; otherwise null.</returns>
    public static Error? Place(Record deal, Record? before, bool isStageGiven, IReadOnlyList<Stage> stages, DateTimeOffset now)
    {
        var id = before is not null && PipelineId.Of(before) != PipelineId.Of(deal) && !isStageGiven ? null : StageId.Of(deal);
        var stage = id is null ? stages.FirstOrDefault(s => s.Type is "open") ?? stages[0] : stages.FirstOrDefault(s => s.Id == id);
        if (stage is null) return Error.Unprocessable(StageId.Name, $"The pipeline '{PipelineId.Of(deal)}' has no stage '{id}'");

        deal[StageId] = stage.Id;
        deal[ClosedAt] = stage.Type is "open" ? null : ClosedAt.Of(deal) ?? Text.ToSecond(now);
        return null;
    }

    /// <summary>Returns the cascade that closes or reopens the deals of a stage whose type changes between open and closed.</summary>
    internal static Cascade CloseOrReopen(string stageId, bool isOpen, DateTimeOffset now) =>
        new(Schema, new KeyPath(ClosedAt.Name), isOpen ? null : [], isOpen ? null : Text.Format(Text.ToSecond(now)), new LinkFilter(StageId.Name, stageId));

    /// <summary>Includes the stage of each deal, read from its pipeline.</summary>
    private static async ValueTask<IReadOnlyList<Included>> IncludeStage(IReadOnlyList<StoredRecord> deals, IWorkspaceStore store, CancellationToken ct)
    {
        var pipelines = await store.FindMany(Pipeline.Schema.Type, [.. deals.Select(d => Include.IdIn(d, PipelineId)).OfType<string>().Distinct()], ct);
        var stages = pipelines.SelectMany(p => Pipeline.StagesOf(Record.Load(Pipeline.Schema, p)).Select(s => (s.Id, Json: s.Attributes(p.Id))))
            .ToDictionary(s => s.Id, s => s.Json, StringComparer.Ordinal);
        return [.. deals.Select(d => new Included(new Member("stage", Include.IdIn(d, StageId) is { } id ? stages.GetValueOrDefault(id) : null)))];
    }

    private static async ValueTask<Error?> Decide(Change change, CancellationToken ct)
    {
        if (change.After is not { } deal || (change.Before is not null && !change.Changes(StageId) && !change.Changes(PipelineId))) return null;
        deal[PipelineId] ??= await change.Store.FindOwner(Pipeline.DefaultKey, ct);
        if (PipelineId.Of(deal) is not { } pipelineId || await change.Store.Find(Pipeline.Schema.Type, pipelineId, ct) is not { } stored)
            return Error.Unprocessable(PipelineId.Name, $"No pipeline with id '{PipelineId.Of(deal)}' in this workspace");

        if (Place(deal, change.Before, change.Given?.Gives(StageId) == true, Pipeline.Stages.Of(Record.Load(Pipeline.Schema, stored)), change.Now) is { } error)
            return error;
        change.Guards.Add(new Guard.UniqueKeyHeld(Pipeline.UniqueKeyOf(StageId.Of(deal)!, isOpen: ClosedAt.Of(deal) is null)));
        if (change.Before is { } before && change.Changes(StageId))
        {
            // Rules run before updated_at is set; the event shows the deal as it is stored.
            deal[Schema.UpdatedAt] = Text.ToSecond(change.Now);
            change.Events.Add(new ExtraEvent("deal.stage_changed", Schema.Type, deal.Id, deal.Version, deal.Store().Attributes,
                ChangeEvents.Previous(before, deal, StageId, PipelineId, ClosedAt)));
        }

        return null;
    }
}
