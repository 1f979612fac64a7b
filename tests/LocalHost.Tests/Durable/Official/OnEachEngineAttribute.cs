using System.Reflection;
using NodeStash.LocalHost.Durable;
using Xunit.Sdk;
using Xunit.v3;

namespace NodeStash.LocalHost.Tests.Durable.Official;

/// <summary>Runs a theory on the local host's engine, in both of its ways, and on the official one: what it asserts, they all do.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class OnEachEngineAttribute : DataAttribute
{
    public override ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(MethodInfo testMethod, DisposalTracker disposalTracker) =>
        new([.. Enum.GetValues<EngineKind>().Select(kind => new TheoryDataRow<EngineKind>(kind))]);

    public override bool SupportsDiscoveryEnumeration() => true;
}

public enum EngineKind
{
    KeptInMemory,
    ReplayedAtEveryTurn,
    Official,
}

internal static class EngineKinds
{
    public static Engine Open(this EngineKind kind) => kind switch
    {
        EngineKind.KeptInMemory => new LocalEngine(),
        EngineKind.ReplayedAtEveryTurn => new LocalEngine(new DurableOptions { CachedExecutions = 0 }),
        _ => new OfficialEngine(),
    };
}
