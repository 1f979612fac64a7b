namespace Microsoft.DurableTask;

/// <summary>The name of an orchestrator or activity; compared without regard to case. A plain string converts to it.</summary>
public readonly struct TaskName(string name) : IEquatable<TaskName>
{
    /// <summary>The name as it was given; null for the default value, which names nothing.</summary>
    public string Name { get; } = name;

    public static implicit operator TaskName(string value) => string.IsNullOrEmpty(value) ? default : new TaskName(value);

    public static implicit operator string(TaskName value) => value.Name;

    public static bool operator ==(TaskName left, TaskName right) => left.Equals(right);

    public static bool operator !=(TaskName left, TaskName right) => !left.Equals(right);

    public bool Equals(TaskName other) => string.Equals(Name, other.Name, StringComparison.OrdinalIgnoreCase);

    public override bool Equals(object? obj) => obj is TaskName other && Equals(other);

    public override int GetHashCode() => Name is null ? 0 : StringComparer.OrdinalIgnoreCase.GetHashCode(Name);

    public override string ToString() => Name ?? "";
}
