using NodeStash.Core.Records;

namespace NodeStash.Core.Webhooks;

/// <summary>An endpoint that events are sent to. contract/webhooks.md, Endpoints.</summary>
public static class Webhook
{
    public static readonly TextField Url = new("url", 2048) { IsRequired = true };
    public static readonly TextField Description = new("description", 500);

    public static readonly TextListField Events = new("events", most: 100, longest: 100)
    {
        NotEmpty = true, Default = new List<string> { EventPattern.All }, ItemFault = EventPattern.Fault,
    };

    public static readonly FlagField IsEnabled = new("is_enabled") { Default = true, Filter = FilterKind.Exact };
    public static readonly TextField DisabledReason = new("disabled_reason", 500) { Access = FieldAccess.ReadOnly };

    /// <summary>The signing secret, sealed.</summary>
    public static readonly TextField Secret = new("secret", 500) { Access = FieldAccess.Internal };

    /// <summary>The secret before the last rotation, sealed; null where there was none.</summary>
    public static readonly TextField SecretBefore = new("secret_before", 500) { Access = FieldAccess.Internal };

    /// <summary>Until when <see cref="SecretBefore"/> signs too.</summary>
    public static readonly TimeField GraceEndsAt = new("grace_ends_at") { Access = FieldAccess.Internal };

    public static Schema Schema { get; } = new("webhook", "wh_", "webhooks", [Url, Description, Events, IsEnabled, DisabledReason, Secret, SecretBefore, GraceEndsAt])
    {
        Decide = (change, _) =>
        {
            if (change.After is { } webhook && IsEnabled.Of(webhook)) webhook[DisabledReason] = null;
            return ValueTask.FromResult<Error?>(null);
        },
    };
}
