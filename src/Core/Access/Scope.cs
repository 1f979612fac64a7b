namespace NodeStash.Core.Access;

/// <summary>A permission, written as in docs/api/access.md, e.g. <c>contacts:read</c>.</summary>
/// <param name="Name">The scope.</param>
public readonly record struct Scope(string Name)
{
    public const string Everything = "*";

    public static readonly Scope ContactsRead = new("contacts:read");
    public static readonly Scope ContactsWrite = new("contacts:write");
    public static readonly Scope PipelinesRead = new("pipelines:read");
    public static readonly Scope PipelinesWrite = new("pipelines:write");
    public static readonly Scope CustomFieldsWrite = new("custom_fields");
    public static readonly Scope WebhooksRead = new("webhooks:read");
    public static readonly Scope WebhooksWrite = new("webhooks:write");
    public static readonly Scope EventsRead = new("events:read");

    private const string Read = ":read";
    private const string Write = ":write";
    private const string CustomFields = "custom_fields";

    private static readonly HashSet<string> Known =
    [
        Everything, CustomFields, "custom_fields:read", "custom_fields:write", "events:read", "billing:read", "billing:write",
        .. new[] { "contacts", "companies", "deals", "pipelines", "activities", "tags", "webhooks", "api_keys", "objects", "users", "oauth_clients",
            "automations" }
            .SelectMany(noun => new[] { noun + Read, noun + Write }),
    ];

    /// <summary>The scope to read a collection, e.g. <c>contacts:read</c>.</summary>
    public static Scope Reading(string collection) => new(collection + Read);

    /// <summary>The scope to change a collection, e.g. <c>contacts:write</c>.</summary>
    public static Scope Writing(string collection) => new(collection + Write);

    /// <summary>Whether there is such a scope.</summary>
    public static bool IsKnown(string scope) => Known.Contains(scope);

    /// <summary>Whether what was granted covers this scope: write includes read, <c>*</c> everything.</summary>
    public bool IsCoveredBy(IEnumerable<string> granted)
    {
        var wanted = Normal(Name);
        foreach (var scope in granted)
        {
            var have = Normal(scope);
            if (have is Everything || have == wanted) return true;
            if (wanted.EndsWith(Read, StringComparison.Ordinal) && have.EndsWith(Write, StringComparison.Ordinal)
                && have.AsSpan(0, have.Length - Write.Length).SequenceEqual(wanted.AsSpan(0, wanted.Length - Read.Length)))
                return true;
        }

        return false;
    }

    public override string ToString() => Name;

    private static string Normal(string scope) => scope is CustomFields ? CustomFields + Write : scope;
}
