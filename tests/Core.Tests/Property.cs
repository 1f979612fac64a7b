using FsCheck;
using FsCheck.Fluent;

namespace NodeStash.Core.Tests;

/// <summary>Checks what must hold for every case a generator can make.</summary>
internal static class Property
{
    /// <summary>Runs <paramref name="holds"/> on generated cases; fails with the first case it throws for, and the seed to repeat it.</summary>
    public static Task Holds<T>(Gen<T> cases, Func<T, Task> holds, int tests = 100) => Task.Run(() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(tests).WithQuietOnSuccess(true),
        Prop.ForAll(cases.ToArbitrary(), (Action<T>)(each => holds(each).GetAwaiter().GetResult()))));
}
