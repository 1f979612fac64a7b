using NodeStash.Core.Records;

namespace NodeStash.Core.Webhooks;

/// <summary>Declares the resource of webhook endpoints: its fields and its rule. Source: docs/api/webhooks.md, Endpoints.</summary>
public static class Webhook
{
    /// <summary>The address that events are sent to.</summary>
    public static readonly TextField Url = new("url", 2048)
    {
        Description = "The HTTPS address that events are sent to.", Example = "\"https://hooks.example.com/crm\"",
        IsRequired = true,
    };

    /// <summary>The purpose of the endpoint, in the words of its owner.</summary>
    public static readonly TextField Description = new("description", 500)
    {
        Description = "What the endpoint is for.", Example = "\"Billing\"",
    };

    /// <summary>The patterns of the events it subscribes to (<see cref="EventPattern"/>).</summary>
    public static readonly TextListField Events = new("events", max: 100, maxLength: 100)
    {
        Description = "The events it gets: a name, all of a noun such as deal.*, or * for all; * if absent.", Example = "[\"contact.created\",\"deal.*\"]",
        NotEmpty = true, Default = new List<string> { EventPattern.All }, CheckItem = EventPattern.Check,
    };

    /// <summary>Whether events are sent to it.</summary>
    public static readonly FlagField IsEnabled = new("is_enabled")
    {
        Description = "Whether events are sent to it; true if absent.",
        Default = true, Filter = FilterKind.Exact,
    };

    /// <summary>The reason for which the product disabled it; null while it is enabled.</summary>
    public static readonly TextField DisabledReason = new("disabled_reason", 500)
    {
        Description = "Why the product disabled it; null while it is enabled.",
        Access = FieldAccess.ReadOnly,
    };

    /// <summary>The signing secret, sealed.</summary>
    public static readonly TextField Secret = new("secret", 500) { Access = FieldAccess.Internal };

    /// <summary>The secret before the last rotation, sealed; null where there was none.</summary>
    public static readonly TextField SecretBefore = new("secret_before", 500) { Access = FieldAccess.Internal };

    /// <summary>The time until which <see cref="SecretBefore"/> signs, too.</summary>
    public static readonly TimeField GraceEndsAt = new("grace_ends_at") { Access = FieldAccess.Internal };

    /// <summary>The schema. Its rule clears <see cref="DisabledReason"/> when an endpoint is enabled.</summary>
    public static Schema Schema { get; } = new(
        "webhook", "wh_", "webhooks", [Url, Description, Events, IsEnabled, DisabledReason, Secret, SecretBefore, GraceEndsAt])
    {
        Decide = (change, _) =>
        {
            if (change.After is { } webhook && IsEnabled.Of(webhook)) webhook[DisabledReason] = null;
            return ValueTask.FromResult<Error?>(null);
        },
    };
}
