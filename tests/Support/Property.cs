using System.Globalization;
using FsCheck;
using FsCheck.Fluent;

namespace NodeStash.Support;

/// <summary>
/// Checks what must hold for every case a generator can make. The cases are the same in each run, so that a failure is the change's; with
/// NODESTASH_PROPERTY_SEED=random they are new ones, and with two numbers, as a failure names them, those of that run.
/// </summary>
public static class Property
{
    private static readonly string Seed = Environment.GetEnvironmentVariable("NODESTASH_PROPERTY_SEED") ?? "20260115,7";

    /// <summary>Runs <paramref name="holds"/> on generated cases; fails with the first case it throws for, and the seed to repeat it.</summary>
    public static Task Holds<T>(Gen<T> cases, Func<T, Task> holds, int tests = 100) => Task.Run(() => Check.One(
        Seeded(Config.QuickThrowOnFailure.WithMaxTest(tests).WithQuietOnSuccess(true)),
        Prop.ForAll(cases.ToArbitrary(), (Action<T>)(each => holds(each).GetAwaiter().GetResult()))));

    private static Config Seeded(Config config) => Seed.Split(',') is [var seed, var gamma]
        ? config.WithReplay(ulong.Parse(seed, CultureInfo.InvariantCulture), ulong.Parse(gamma, CultureInfo.InvariantCulture))
        : config;
}
