using NodeStash.Core.Records;
using NodeStash.Core.Search;

namespace NodeStash.Core.Resources;

/// <summary>A note, task, email, call, meeting or something of the client's own. contract/v1.md, Activities.</summary>
public static class Activity
{
    public static readonly ChoiceField Type = new("type", "note", "task", "email", "call", "meeting", "custom") { IsRequired = true, Filter = FilterKind.Exact };
    public static readonly TextField Subject = new("subject", 500) { Search = Searchable.Name };
    public static readonly TextField Body = new("body", 100_000) { Search = Searchable.Body };
    public static readonly LinkField ContactId = new("contact_id", "ct_", "contact") { Filter = FilterKind.Exact };
    public static readonly LinkField CompanyId = new("company_id", "co_", "company") { Filter = FilterKind.Exact };
    public static readonly LinkField DealId = new("deal_id", "dl_", "deal") { Filter = FilterKind.Exact };
    public static readonly FlagField IsDone = new("is_done") { Default = false, Filter = FilterKind.Exact };
    public static readonly TimeField DueDate = new("due_date") { IsSortable = true };
    public static readonly TimeField CompletedAt = new("completed_at") { Access = FieldAccess.ReadOnly };

    public static Schema Schema { get; } = new("activity", "act_", "activities",
        [Type, Subject, Body, ContactId, CompanyId, DealId, Shared.OwnerId(), IsDone, DueDate, CompletedAt, new MapField("metadata"), Shared.CustomFields(), Shared.Tags()])
    {
        EventNoun = "activity",
        DefaultLimit = 25,
        Decide = (change, _) =>
        {
            if (change.After is { } activity) Complete(activity, change.Now);
            return ValueTask.FromResult<Error?>(null);
        },
    };

    /// <summary>Done since when: set when it turns done, cleared when it turns back.</summary>
    private static void Complete(Record activity, DateTimeOffset now) =>
        activity[CompletedAt] = IsDone.Of(activity) ? CompletedAt.Of(activity) ?? Text.ToSecond(now) : null;
}
