namespace NodeStash.Core.Access;

/// <summary>Names a permission, e.g. <c>contacts:read</c>. Source: docs/api/access.md.</summary>
/// <param name="Name">The scope as text.</param>
public readonly record struct Scope(string Name)
{
    /// <summary>The scope that covers every other.</summary>
    public const string Everything = "*";

    /// <summary>Permission to read contacts.</summary>
    public static readonly Scope ContactsRead = new("contacts:read");

    /// <summary>Permission to create, change and delete contacts; includes reading.</summary>
    public static readonly Scope ContactsWrite = new("contacts:write");

    /// <summary>Permission to read companies.</summary>
    public static readonly Scope CompaniesRead = new("companies:read");

    /// <summary>Permission to create, change and delete companies; includes reading.</summary>
    public static readonly Scope CompaniesWrite = new("companies:write");

    /// <summary>Permission to read deals.</summary>
    public static readonly Scope DealsRead = new("deals:read");

    /// <summary>Permission to create, change and delete deals; includes reading.</summary>
    public static readonly Scope DealsWrite = new("deals:write");

    /// <summary>Permission to read pipelines and stages.</summary>
    public static readonly Scope PipelinesRead = new("pipelines:read");

    /// <summary>Permission to create, change and delete pipelines and stages; includes reading.</summary>
    public static readonly Scope PipelinesWrite = new("pipelines:write");

    /// <summary>Permission to read activities.</summary>
    public static readonly Scope ActivitiesRead = new("activities:read");

    /// <summary>Permission to create, change and delete activities; includes reading.</summary>
    public static readonly Scope ActivitiesWrite = new("activities:write");

    /// <summary>Permission to read tags.</summary>
    public static readonly Scope TagsRead = new("tags:read");

    /// <summary>Permission to create, change and delete tags; includes reading.</summary>
    public static readonly Scope TagsWrite = new("tags:write");

    /// <summary>Permission to read custom field definitions.</summary>
    public static readonly Scope CustomFieldsRead = new("custom_fields:read");

    /// <summary>Permission to change custom field definitions; includes reading. <c>custom_fields:write</c> means the same.</summary>
    public static readonly Scope CustomFieldsWrite = new("custom_fields");

    /// <summary>Permission to read custom objects and their records.</summary>
    public static readonly Scope ObjectsRead = new("objects:read");

    /// <summary>Permission to create, change and delete custom objects and their records; includes reading.</summary>
    public static readonly Scope ObjectsWrite = new("objects:write");

    /// <summary>Permission to read webhook endpoints and their deliveries.</summary>
    public static readonly Scope WebhooksRead = new("webhooks:read");

    /// <summary>Permission to create, change and delete webhook endpoints and their deliveries; includes reading.</summary>
    public static readonly Scope WebhooksWrite = new("webhooks:write");

    /// <summary>Permission to read API keys.</summary>
    public static readonly Scope ApiKeysRead = new("api_keys:read");

    /// <summary>Permission to create, change and delete API keys; includes reading.</summary>
    public static readonly Scope ApiKeysWrite = new("api_keys:write");

    /// <summary>Permission to read the event log.</summary>
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

    /// <summary>Returns the scope to read a collection, e.g. <c>contacts:read</c>.</summary>
    public static Scope Reading(string collection) => new(collection + Read);

    /// <summary>Returns the scope to change a collection, e.g. <c>contacts:write</c>.</summary>
    public static Scope Writing(string collection) => new(collection + Write);

    /// <summary>Whether a text is a scope that a key can be granted.</summary>
    public static bool IsKnown(string scope) => Known.Contains(scope);

    /// <summary>Whether granted scopes cover this one: write includes read, and <c>*</c> everything.</summary>
    public bool IsCoveredBy(IEnumerable<string> granted)
    {
        var wanted = Normalize(Name);
        foreach (var scope in granted)
        {
            var have = Normalize(scope);
            if (have is Everything || have == wanted) return true;
            if (wanted.EndsWith(Read, StringComparison.Ordinal) && have.EndsWith(Write, StringComparison.Ordinal)
                && have.AsSpan(0, have.Length - Write.Length).SequenceEqual(wanted.AsSpan(0, wanted.Length - Read.Length)))
                return true;
        }

        return false;
    }

    /// <summary>Returns <see cref="Name"/>.</summary>
    public override string ToString() => Name;

    private static string Normalize(string scope) => scope is CustomFields ? CustomFields + Write : scope;
}
