using System.Text.Json.Serialization;

namespace Meilisearch;

/// <summary>What was asked for and is not done yet.</summary>
public class TaskInfo
{
    [JsonConstructor]
    internal TaskInfo(int taskUid, TaskInfoStatus status) => (TaskUid, Status) = (taskUid, status);

    public int TaskUid { get; }

    public TaskInfoStatus Status { get; }
}

/// <summary>How far it is.</summary>
public class TaskResource
{
    [JsonConstructor]
    internal TaskResource(int uid, TaskInfoStatus status, IReadOnlyDictionary<string, string>? error) => (Uid, Status, Error) = (uid, status, error);

    public int Uid { get; }

    public TaskInfoStatus Status { get; }

    public IReadOnlyDictionary<string, string>? Error { get; }
}

public enum TaskInfoStatus
{
    Enqueued,
    Processing,
    Succeeded,
    Failed,
    Canceled,
}
