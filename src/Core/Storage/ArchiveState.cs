using System.Text.Json;

namespace NodeStash.Core.Storage;

/// <summary>Tells whether records are archived: they have a time in a hidden field, and a key of it. docs/adr/0021-archive.md.</summary>
public static class ArchiveState
{
    /// <summary>The name of the field and of its key.</summary>
    public const string FieldName = "archived_at";

    /// <summary>How long an archived record can be restored; then it is purged.</summary>
    public static readonly TimeSpan Retention = TimeSpan.FromDays(30);

    /// <summary>Where the time is among a record's keys.</summary>
    public static KeyPath Path { get; } = new(FieldName);

    /// <summary>Holds for records that are not archived; those stored before there was an archive have no such key.</summary>
    public static Condition IsVisible { get; } = new Condition.Equal(Path, null);

    /// <summary>Holds for archived records.</summary>
    public static Condition IsHidden { get; } = new Condition.Not(IsVisible);

    /// <summary>Whether a stored record is archived.</summary>
    public static bool IsArchived(StoredRecord stored) => TimeOf(stored) is not null;

    /// <summary>When the record was archived; null where it is not.</summary>
    public static DateTimeOffset? TimeOf(StoredRecord stored) =>
        stored.Internal is { } hidden && hidden.Span.IndexOf("\"archived_at\""u8) >= 0 && JsonElement.Parse(hidden.Span).TryGetProperty(FieldName, out var at)
            ? at.GetDateTimeOffset()
            : null;
}
