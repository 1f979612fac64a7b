using System.Text.Json;

namespace NodeStash.Core.Storage;

/// <summary>Reads whether and when a record was archived. The time is a hidden field and a key. Source: docs/adr/0021-archive.md.</summary>
public static class ArchiveState
{
    /// <summary>Name of the hidden field, and of its key: the time at which the record was archived.</summary>
    public const string FieldName = "archived_at";

    /// <summary>Time for which an archived record can be restored, 30 days; afterwards it is purged.</summary>
    public static readonly TimeSpan Retention = TimeSpan.FromDays(30);

    /// <summary>Path of the time among a record's keys.</summary>
    public static KeyPath Path { get; } = new(FieldName);

    /// <summary>Matches records that are not archived. Records stored before the archive existed have no such key, and match.</summary>
    public static Condition IsVisible { get; } = new Condition.Equal(Path, null);

    /// <summary>Matches archived records.</summary>
    public static Condition IsHidden { get; } = new Condition.Not(IsVisible);

    /// <summary>Whether a stored record is archived.</summary>
    public static bool IsArchived(StoredRecord stored) => TimeOf(stored) is not null;

    /// <summary>Returns when the record was archived; null if it is not archived.</summary>
    public static DateTimeOffset? TimeOf(StoredRecord stored) =>
        stored.Internal is { } hidden && hidden.Span.IndexOf("\"archived_at\""u8) >= 0 && JsonElement.Parse(hidden.Span).TryGetProperty(FieldName, out var at)
            ? at.GetDateTimeOffset()
            : null;
}
