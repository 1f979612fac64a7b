namespace NodeStash.Core.Events;

/// <summary>Names where a change comes from; in lower case on the wire.</summary>
public enum ChangeSource
{
    /// <summary>A request with an API key.</summary>
    Api,

    /// <summary>A request with the token of an OAuth client.</summary>
    OAuth,

    /// <summary>A step of an automation rule.</summary>
    Automation,

    /// <summary>An import of a file.</summary>
    Import,

    /// <summary>The product itself, e.g. a job.</summary>
    System,
}

/// <summary>Says on whose behalf a change is made. The metadata of its events shows it.</summary>
/// <param name="Source">Where the change comes from.</param>
/// <param name="Actor">The credential, user or rule, e.g. <c>key_…</c>; null for the system.</param>
/// <param name="RequestId">The request, <c>req_…</c>; null if there was none.</param>
/// <param name="Depth">The number of automations that triggered one another before this change; 0 for none.</param>
public sealed record Origin(ChangeSource Source, string? Actor, string? RequestId, int Depth = 0)
{
    /// <summary>The origin of changes by the product itself, without a request.</summary>
    public static Origin OfSystem { get; } = new(ChangeSource.System, null, null);

    /// <summary>Name of the source in events, e.g. <c>api</c>.</summary>
    public string SourceName => NameOf(Source);

    /// <summary>Parses a <see cref="SourceName"/>. Throws for any other text.</summary>
    public static ChangeSource SourceOf(string name) => Enum.GetValues<ChangeSource>().First(source => NameOf(source) == name);

    private static string NameOf(ChangeSource source) => source switch
    {
        ChangeSource.Api => "api",
        ChangeSource.OAuth => "oauth",
        ChangeSource.Automation => "automation",
        ChangeSource.Import => "import",
        _ => "system",
    };
}
