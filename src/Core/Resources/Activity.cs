using NodeStash.Core.Records;
using NodeStash.Core.Values;

namespace NodeStash.Core.Resources;

/// <summary>Declares the resource of activities: notes, tasks, emails, calls, meetings and custom ones. Source: docs/api/v1.md, Activities.</summary>
public static class Activity
{
    /// <summary>The kind of activity, e.g. <c>task</c>.</summary>
    public static readonly ChoiceField Type = new("type", "note", "task", "email", "call", "meeting", "custom")
    {
        Description = "The kind of activity.",
        IsRequired = true, Filter = FilterKind.Exact,
    };

    /// <summary>A short line about the activity; search treats it as the name.</summary>
    public static readonly TextField Subject = new("subject", 500)
    {
        Description = "A short line about it.", Example = "\"Call about the offer\"",
        Search = Searchable.Name,
    };

    /// <summary>The whole text, at most 100,000 characters.</summary>
    public static readonly TextField Body = new("body", 100_000)
    {
        Description = "The whole text.", Example = "\"She asks for a discount.\"",
        Search = Searchable.Body,
    };

    /// <summary>The contact that the activity is about; cleared when the contact is deleted.</summary>
    public static readonly LinkField ContactId = new("contact_id", "ct_", "contact")
    {
        Description = "The contact it is about.",
        Filter = FilterKind.Exact,
    };

    /// <summary>The company that the activity is about; cleared when the company is deleted.</summary>
    public static readonly LinkField CompanyId = new("company_id", "co_", "company")
    {
        Description = "The company it is about.",
        Filter = FilterKind.Exact,
    };

    /// <summary>The deal that the activity is about; cleared when the deal is deleted.</summary>
    public static readonly LinkField DealId = new("deal_id", "dl_", "deal")
    {
        Description = "The deal it is about.",
        Filter = FilterKind.Exact,
    };

    /// <summary>Whether the activity is done; it sets <see cref="CompletedAt"/>.</summary>
    public static readonly FlagField IsDone = new("is_done")
    {
        Description = "Whether it is done; false if absent.",
        Default = false, Filter = FilterKind.Exact,
    };

    /// <summary>When the activity is due: a time, despite the name.</summary>
    public static readonly TimeField DueDate = new("due_date")
    {
        Description = "When it is due.", Example = "\"2026-01-15T10:30:00Z\"",
        IsSortable = true,
    };

    /// <summary>When the activity was marked as done; null while it is not done.</summary>
    public static readonly TimeField CompletedAt = new("completed_at")
    {
        Description = "When it was marked as done; null while it is not.",
        Access = FieldAccess.ReadOnly,
    };

    /// <summary>The schema. Its rule keeps <see cref="CompletedAt"/>.</summary>
    public static Schema Schema { get; } = new("activity", "act_", "activities",
        [Type, Subject, Body, ContactId, CompanyId, DealId, Shared.OwnerId(), IsDone, DueDate, CompletedAt,
            new MapField("metadata") { Description = "Values of the client's own, kept as given.", Example = "{\"call_id\":\"8f2\"}" }, Shared.CustomFields(),
            Shared.Tags()], isArchivable: true)
    {
        EventNoun = "activity",
        DefaultLimit = 25,
        Decide = (change, _) =>
        {
            if (change.After is { } activity) Complete(activity, change.Now);
            return ValueTask.FromResult<Error?>(null);
        },
    };

    /// <summary>Sets <see cref="CompletedAt"/> when an activity becomes done, and clears it when it is reopened.</summary>
    private static void Complete(Record activity, DateTimeOffset now) =>
        activity[CompletedAt] = IsDone.Of(activity) ? CompletedAt.Of(activity) ?? Text.ToSecond(now) : null;
}
