declare module 'jstat' {
  const jstat: {
    readonly jStat: {
      /** Student's t distribution. */
      readonly studentt: {
        cdf(t: number, degreesOfFreedom: number): number;
        inv(probability: number, degreesOfFreedom: number): number;
      };
    };
  };
  export default jstat;
}
