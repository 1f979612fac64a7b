namespace NodeStash.Core.Events;

/// <summary>On whose behalf a change is made; goes into the metadata of its events.</summary>
/// <param name="TriggeredBy">api, oauth, automation, import or system (contract/webhooks.md).</param>
/// <param name="Actor">The credential or user, e.g. <c>key_…</c>; null for the system.</param>
/// <param name="RequestId"><c>req_…</c>; null where there was no request.</param>
public sealed record Origin(string TriggeredBy, string? Actor, string? RequestId);
