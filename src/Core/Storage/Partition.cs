namespace NodeStash.Core.Storage;

/// <summary>Names the two environments of a workspace, which never see each other's data. Source: docs/api/access.md, Environments.</summary>
public enum WorkspaceEnvironment
{
    /// <summary>The environment of real data.</summary>
    Live,

    /// <summary>The environment for tests of an integration.</summary>
    Test,
}

/// <summary>Identifies one environment of one workspace in storage. Every read and write stays within one partition.</summary>
/// <param name="WorkspaceId">The workspace, <c>ws_…</c></param>
/// <param name="Environment">The environment, live or test.</param>
public sealed record Partition(string WorkspaceId, WorkspaceEnvironment Environment)
{
    private const string TestSuffix = "~test";

    /// <summary>The partition key as stored: <c>ws_…</c>, or <c>ws_…~test</c>.</summary>
    public string Key { get; } = Environment is WorkspaceEnvironment.Live ? WorkspaceId : WorkspaceId + TestSuffix;

    /// <summary>Parses a stored partition key (<see cref="Key"/>).</summary>
    public static Partition Parse(string key) => key.EndsWith(TestSuffix, StringComparison.Ordinal)
        ? new Partition(key[..^TestSuffix.Length], WorkspaceEnvironment.Test)
        : new Partition(key, WorkspaceEnvironment.Live);

    /// <summary>Returns <see cref="Key"/>.</summary>
    public override string ToString() => Key;
}
